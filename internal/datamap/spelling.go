package datamap

import "strings"

// suggest says which known word was probably meant, or lists the known words.
func suggest(got string, known []string) string {
	best, distance := "", 1+max(1, len(got)/3)
	plain := american(strings.ToLower(strings.ReplaceAll(got, "-", "_")))
	for _, k := range known {
		if american(k) == plain {
			return "did you mean " + k + "?"
		}
		if d := edits(plain, k); d < distance {
			best, distance = k, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(known) == 0:
		return ""
	default:
		return "one of " + strings.Join(known, ", ")
	}
}

// american spells the endings in which the file's words differ as the United States spell them.
func american(s string) string {
	return strings.NewReplacer("isation", "ization", "ise", "ize", "ising", "izing", "our", "or", "colour", "color").Replace(s)
}

// edits counts insertions, deletions, substitutions and swaps of neighbors (optimal string alignment).
func edits(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
