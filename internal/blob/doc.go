// Package blob keeps and fetches files by key: on the local disk or in an S3 bucket.
//
// The one idea: a key appears complete or not at all. Put writes elsewhere first and shows the file
// under its key only when its last byte is on disk (S3 does the same for an object); a reader never
// meets half a file, and a crash leaves at most a temporary one that List does not show.
//
// It does not own encryption: what is stored here was sealed before (package seal), and the bucket or
// disk is trusted with bytes that tell nothing. It does not own names, nor how long a file lives.
package blob
