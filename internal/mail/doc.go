// Package mail owns one mail: what an address is, how a message is written down, and its way to the next
// mail server.
//
// The one idea: two addresses are one person's only when they are the same bytes after ParseAddress, and
// ParseAddress takes nothing that two programs could read in two ways. Net/mail's parser, made for reading
// mail, would take `"a@x.org"@evil.com`, encoded words and comments.
//
//	Message ──Compose──> RFC 5322 bytes ──Sender.Send──> SMTP with TLS ──> nil, Temporary, or refused for good
//
// A message is text with an HTML alternative. The text goes out as it is, in 7bit or 8bit, whenever its
// lines allow, so that a link alone on its line stays whole for every reader.
//
// What it does not own: which letter is sent when (package notify), retries, and the mailbox of the demo.
// Errors hold neither an address nor what a server said, for servers like to repeat the address.
package mail
