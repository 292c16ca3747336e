package notify

// Kind is a kind of letter.
type Kind string

// The kinds of letters.
const (
	KindVerification      Kind = "verification"       // asks for the proof; the only kinds that hold a verification link
	KindVerificationAgain Kind = "verification_again" // the same, asked for anew
	KindRequestReceived   Kind = "request_received"   // acknowledges a request that needs no proof by mail
	KindClarification     Kind = "clarification"      // asks for something without which we can't go on
	KindNothingHeld       Kind = "nothing_held"       // after the proof: nothing is held
	KindPackageReady      Kind = "package_ready"      // the package can be fetched
	KindDownloadCode      Kind = "download_code"      // the one-time code for a package
	KindErasureScheduled  Kind = "erasure_scheduled"  // a grace period begins
	KindErasureCancelled  Kind = "erasure_cancelled"  // the person stopped it
	KindErasureDone       Kind = "erasure_done"       // what went, what is kept, why and until when
	KindObligationDone    Kind = "obligation_done"    // the second letter: what was kept is gone now
	KindRectified         Kind = "rectified"          // corrected
	KindSuppressed        Kind = "suppressed"         // restriction, objection, opt-out and the like are in force
	KindAnswered          Kind = "answered"           // an officer's answer
	KindDenied            Kind = "denied"             // refused: ground, explanation, recourse
	KindExtended          Kind = "extended"           // more time is needed: new date and reasons
	KindWithdrawn         Kind = "withdrawn"          // called back
	KindExpired           Kind = "expired"            // never proven
	KindMessage           Kind = "message"            // an officer wrote
)

// Kinds lists all kinds of letters.
func Kinds() []Kind {
	return []Kind{
		KindVerification, KindVerificationAgain, KindRequestReceived, KindClarification, KindNothingHeld, KindPackageReady,
		KindDownloadCode, KindErasureScheduled, KindErasureCancelled, KindErasureDone, KindObligationDone, KindRectified,
		KindSuppressed, KindAnswered, KindDenied, KindExtended, KindWithdrawn, KindExpired, KindMessage,
	}
}

// asksForProof tells whether letters of the kind hold a verification link. No other kind does.
func (k Kind) asksForProof() bool { return k == KindVerification || k == KindVerificationAgain }
