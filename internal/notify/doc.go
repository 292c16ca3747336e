// Package notify owns the letters: what a person is told, in their language, and how it gets on its way.
//
// It does not decide when something is told; a use case does, and queues the letter in the same transaction as what it
// tells of. It does not speak SMTP; package mail does.
//
//	use case ──Outbox.Queue──> outbox row (sealed) ──Post.Deliver──> mail server, or the demo mailbox
//	              │
//	              └ Render: letters/<language>/<kind>.txt + phrases/<language>.yaml + layout.html
//
// A letter is written once, as plain text; its HTML is the same paragraphs in a plain layout, so that the two never
// say different things. Every letter kind and every phrase exists in every language: a test holds that.
//
// The rules that keep a letter from being abused: no name, message or other text that somebody typed at the form is
// ever put into a letter; a verification link stands in verification mails alone, on a line of its own; a letter that
// holds a six-digit code holds no other six-digit number; and what a person is told before their proof is the same
// whether or not they are known.
//
// The phrases also serve the status page, its JSON twin and the export package: one voice everywhere.
package notify
