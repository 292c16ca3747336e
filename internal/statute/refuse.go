package statute

import (
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// refuse says that the law does not give a right, and what it gives instead.
func (j *Jurisdiction) refuse(right string) error {
	var has []string
	for _, g := range j.granted() {
		has = append(has, g.Right)
	}
	list := strings.Join(has, ", ")
	if !slices.Contains(RightNames(), right) {
		msg := fmt.Sprintf("%q is not the name of a right", right)
		if meant := otherName(right); meant != "" {
			msg += "; did you mean " + meant + "?"
		}
		return fault.New(fault.Invalid, "unknown_right", "%s. %s has: %s.", msg, j.Name, list)
	}
	if alt := j.Instead(right); len(alt) > 0 {
		return fault.New(fault.Invalid, "right_not_available", "%s had no right named %s on %s; what serves there is %s. It has: %s.",
			j.Name, right, j.on, strings.Join(alt, " or "), list)
	}
	return fault.New(fault.Invalid, "right_not_available", "%s had no right named %s on %s. It has: %s.", j.Name, right, j.on, list)
}

// otherName gives the program's name for names that texts of law and other programs use.
func otherName(right string) string {
	switch strings.ToLower(right) {
	case "opt_out_of_sale_sharing", "opt_out_of_sale", "do_not_sell":
		return "opt_out"
	case "know":
		return "know_specific or know_categories"
	case "delete", "deletion":
		return "erasure"
	case "correct", "correction":
		return "rectification"
	case "grievance":
		return "complaint"
	case "object":
		return "objection"
	case "port", "export":
		return "portability"
	}
	return nearestWord(right, RightNames())
}

// nearestWord finds the known word that was probably meant; "" when none is near.
func nearestWord(got string, known []string) string {
	got = strings.ToLower(strings.ReplaceAll(got, "_", "-"))
	best, least, shared := "", 1+max(1, len(got)/4), 0
	for _, k := range known {
		word := strings.ReplaceAll(k, "_", "-")
		d, n := edits(got, word), 0
		for n < min(len(got), len(word)) && got[n] == word[n] {
			n++
		}
		if d < least || (d == least && best != "" && n > shared) {
			best, least, shared = k, d, n
		}
	}
	return best
}

// edits counts the letters to put in, take out, change or swap with their neighbor (Damerau, restricted).
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for k := range rows[0] {
		rows[0][k] = k
	}
	for i := 1; i <= len(a); i++ {
		for k := 1; k <= len(b); k++ {
			change := rows[i-1][k-1]
			if a[i-1] != b[k-1] {
				change++
			}
			rows[i][k] = min(change, rows[i-1][k]+1, rows[i][k-1]+1)
			if i > 1 && k > 1 && a[i-1] == b[k-2] && a[i-2] == b[k-1] {
				rows[i][k] = min(rows[i][k], rows[i-2][k-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
