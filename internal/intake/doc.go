// Package intake accepts requests from any channel: the form and its JSON twin, officers, product backends, inbound
// webhooks. It checks the input, fixes the version of policy and data map, starts the legal clock and stores
// submission, requests, audit leaf and acknowledgement in one transaction.
//
// It never looks the person up: the answer to a stranger is the same, in content and time, whether or not the person
// is known. Looking up happens later, in a job (package verify).
package intake
