// Package verify proves who asks: the person by a link to the stored address or by a product's word, the officer by a
// one-time sign-in link and a session.
//
// The tokens it hands out are 128 random bits of which only the hash is stored, single use, and bound to purpose,
// submission and tenant. A GET never changes anything: Peek looks, Redeem acts.
package verify
