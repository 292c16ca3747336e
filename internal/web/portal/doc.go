// Package portal is the site for people: the form, the confirmation and the status page of /{tenant}. It works without
// a script, in four languages, on a small phone, for somebody who may be upset and has no account.
//
// A GET changes nothing, since mail scanners follow links: what acts is always the button of a form. The site sets no
// cookie but one: after the proof, the access token of one submission, for the addresses of that submission alone. Who
// may see what is decided by the use cases.
//
//	form ─ POST ─► sent        mail ─► verify?token (shows) ─ POST ─► r/{reference} ─► withdraw, messages, codes, downloads
//	                                   r/{reference} without the cookie ─► a new link by mail, the same answer to everybody
package portal
