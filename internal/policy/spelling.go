package policy

import "strings"

// suggest says which known word was probably meant, else lists the known words.
func suggest(got string, known []string) string {
	if best := nearest(got, known); best != "" {
		return "did you mean " + best + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return "one of " + strings.Join(known, ", ")
}

// nearest finds the known word that was probably meant; "" when none is near.
func nearest(got string, known []string) string {
	plain := american(strings.ToLower(strings.NewReplacer("-", "_", " ", "_").Replace(got)))
	best, least := "", 1+max(1, len(got)/3)
	for _, k := range known {
		if k == plain {
			return k
		}
		if d := edits(plain, k); d < least {
			best, least = k, d
		}
	}
	for _, k := range known {
		// auto for automatic, email_link for email
		if best == "" && min(len(k), len(plain)) > 2 && (strings.HasPrefix(plain, k) || strings.HasPrefix(k, plain)) {
			best = k
		}
	}
	return best
}

// american spells a word as the United States do where an ending or a stem shows that it is British. Words that
// end so on both sides of the sea (advise, exercise, promise) stay.
func american(s string) string {
	parts := strings.Split(s, "_")
	for i, p := range parts {
		parts[i] = americanWord(p)
	}
	return strings.Join(parts, "_")
}

func americanWord(s string) string {
	for _, stem := range []string{"anonym", "pseudonym", "organ", "author", "personal", "minim", "optim", "custom", "categor", "analy", "recogn", "util", "normal", "final", "summar", "random", "general"} {
		rest, ok := strings.CutPrefix(s, stem)
		if !ok {
			continue
		}
		for _, end := range []string{"isations", "isation", "ising", "ised", "iser", "ises", "ise"} {
			if tail, found := strings.CutPrefix(rest, end); found && tail == "" {
				return stem + "iz" + end[2:]
			}
		}
		if strings.HasPrefix(rest, "yse") {
			return stem + "yze" + rest[3:]
		}
	}
	if strings.HasPrefix(s, "analyse") {
		return "analyze" + s[len("analyse"):]
	}
	for british, us := range map[string]string{
		"behaviour": "behavior", "colour": "color", "favour": "favor", "honour": "honor", "labour": "labor",
		"licence": "license", "cancelled": "canceled", "fulfilment": "fulfillment", "enrolment": "enrollment",
		"centre": "center", "programme": "program", "catalogue": "catalog", "judgement": "judgment",
	} {
		if s == british || s == british+"s" {
			return us + strings.TrimPrefix(s, british)
		}
	}
	return s
}

// edits counts insertions, deletions, substitutions and swaps of neighbors (optimal string alignment distance).
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			swap := 1
			if a[i-1] == b[j-1] {
				swap = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+swap)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
