package statute

// apply lets one wait act on the clock. A question that is put after the period has run out cannot revive it.
func (k *counter) apply(w wait, limit Date, restartable bool) {
	r, ok := chain(k.j, pausesOf, k.q.Right, func(p pauseRule) bool { return p.Reason == w.reason })
	settled := !k.seen.answered.IsZero()
	switch {
	case !ok || r.Effect == effectNone:
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing under this law.", w.reason)
	case settled && (!w.asked.Before(k.seen.answered) || w.answered.IsZero() || w.answered.After(k.seen.answered)):
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing: the request was answered on %s.", w.reason, k.seen.answered)
	case w.asked.After(limit):
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing: the period had ended on %s.", w.reason, limit)
	case r.Effect == effectReflect && restartable:
		k.reflect(w, r)
	case w.answered.IsZero():
		k.out.Paused = true
		k.step("note", w.asked, r.Rule, "The clock stands since %s was asked for. The dates shown move on when the answer comes.", w.reason)
	case r.Effect != effectPause && !restartable:
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing within an extension.", w.reason)
	case r.Effect == effectRestart:
		if w.answered.After(k.start) {
			k.start, k.strictStart = w.answered, w.answered
		}
		k.step("start", k.start, r.Rule, "The answer about %s arrived on %s: the whole period begins on that day.", w.reason, long(w.answered))
	case w.alone:
		k.step("note", w.asked, r.Rule, "No question about %s is on record, so its answer moves nothing.", w.reason)
	default:
		k.pause(w, r)
	}
}

func (k *counter) pause(w wait, r pauseRule) {
	p := pause{from: w.asked, to: w.answered, inclusive: r.Counting == countInclusive, statutory: r.Basis == basisStatute}
	k.pauses = append(k.pauses, p)
	how, on := "", map[string]string{basisStatute: "statute", basisGuidance: "guidance only, so the stricter reading does not count it",
		basisReading: "one reading of the text, which the stricter one does not follow"}[r.Basis]
	if p.inclusive {
		how = ", both days included"
	}
	k.step("note", w.answered, r.Rule, "The days from %s to %s do not count%s: %s was asked for (%s).", w.asked, w.answered, how, w.reason, on)
}

// reflect begins the period when the days to think are over; the stricter reading, when the person has answered.
func (k *counter) reflect(w wait, r pauseRule) {
	over := w.asked.AddDays(r.Days)
	switch {
	case w.alone:
		k.step("note", w.asked, r.Rule, "No question about %s is on record, so its answer moves nothing.", w.reason)
		return
	case w.answered.IsZero():
		k.out.Paused = true
		k.step("note", over, r.Rule, "A %s was announced. Without a confirmation by %s the request counts as withdrawn.", w.reason, long(over))
	case w.answered.After(over):
		k.step("note", w.answered, r.Rule, "The confirmation of %s came after %s, when the request already counted as withdrawn.", w.answered, over)
	}
	if over.After(k.start) {
		k.start = over
	}
	if early := w.answered; !early.IsZero() && early.Before(over) && early.After(k.strictStart) {
		k.strictStart = early
	} else if over.After(k.strictStart) && (early.IsZero() || !early.Before(over)) {
		k.strictStart = over
	}
	k.step("start", k.start, r.Rule, "The %d days to think about the %s end on %s: the whole period begins on that day.", r.Days, w.reason, long(over))
}
