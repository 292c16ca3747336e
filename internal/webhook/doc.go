// Package webhook owns signed messages between us and the products: their signature, the client that
// carries them without ever reaching inside, and their deliveries.
//
// The one idea is distrust in both directions. A receiver believes only what is signed over id, time and
// body (Standard Webhooks); we connect only to an address that we looked at ourselves, on the very
// connection that is about to be made, whatever the URL, a resolver or a redirect says.
//
//	out  event ──Sign──> NewClient ──dial──> guard looks at the address ──> product
//	in   headers, body ──Verify──> id, once
//
// What it does not own: what an event means, and the route of inbound messages (package httpapi). That an id
// does nothing the second time is a unique row of the store, kept longer than the window of Verify.
package webhook
