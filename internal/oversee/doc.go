// Package oversee is the use case of those who look after the program rather than after a request: the audit log for
// auditors, webhook endpoints and sources for admins, the mailbox of the demo, and the answers that are remembered
// for repeated calls.
package oversee
