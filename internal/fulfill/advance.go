package fulfill

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
)

// errOvertaken says that another worker claimed the request meanwhile, or that it was moved under our hands: what is
// left of this run must not be written.
var errOvertaken = errors.New("the request was claimed or moved by somebody else")

// errHeld says that a legal hold was placed while the work went on.
var errHeld = errors.New("a legal hold stands")

// run is one claimed pass of Advance: what the steps read.
type run struct {
	req dsr.Request // as claimed; its Epoch fences every write
	sub dsr.Submission
	set *tenant.Settings

	kinds map[string]string // by system: the kind of person that is meant, once asked
}

// Advance carries a request one step on: claim it, decide from what is stored what the one next step is, do it, record
// it. Anyone may call it any time; a request that is not due, or that somebody else holds, is left alone.
func (s *Service) Advance(ctx context.Context, id dsr.TenantID, req dsr.RequestID) error {
	r, ok, err := s.claim(ctx, id, req)
	if err != nil || !ok {
		return err
	}
	work, stop := s.keepClaim(ctx, r)
	defer stop()
	step, name := s.decide(r)
	err = unbroken(step)(work, r)
	switch {
	case err == nil:
		return s.unclaim(ctx, r)
	case errors.Is(err, errOvertaken):
		s.log.InfoContext(ctx, "step overtaken", "tenant", id, "request", req, "step", name)
		// Whoever overtook goes on from what is stored. It may have been an officer, who claims nothing: what is
		// left of our claim must not keep the next step waiting.
		return s.unclaim(ctx, r)
	case errors.Is(err, errHeld):
		return s.held(ctx, r)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return err // shutting down: the lease runs out, or the next start takes it up
	}
	s.log.WarnContext(ctx, "step failed", "tenant", id, "request", req, "step", name, "attempt", r.req.Attempts+1, "error", err)
	return s.failed(ctx, r, name, err)
}

// unbroken turns a step that breaks into one that fails: it is counted and, in the end, shown to a person, like any
// other. Left alone it would be taken up again for ever, and nobody would hear of it.
func unbroken(fn step) step {
	return func(ctx context.Context, r *run) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the step broke: %v\n%s", p, debug.Stack())
			}
		}()
		return fn(ctx, r)
	}
}

// unclaim ends the claim after a step that went well: the next action is what the step recorded.
func (s *Service) unclaim(ctx context.Context, r *run) error {
	return s.store.InTx(context.WithoutCancel(ctx), r.req.Tenant, func(tx *store.Tx) error {
		return tx.Unclaim(r.req.ID, r.req.Epoch)
	})
}

// errLasting marks an error that no further try will mend: a person must look.
var errLasting = errors.New("trying again won't help")

// claim takes the request for this run: epoch + 1.
func (s *Service) claim(ctx context.Context, id dsr.TenantID, req dsr.RequestID) (*run, bool, error) {
	r := &run{}
	ok := false
	err := s.store.InTx(ctx, id, func(tx *store.Tx) (err error) {
		if r.req, ok, err = tx.Claim(req, lease); err != nil || !ok {
			return err
		}
		if r.sub, err = tx.Submission(r.req.Submission); err != nil {
			return err
		}
		r.set, err = s.tenants.At(tx, r.sub.ConfigVersion)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("claiming a request: %w", err)
	}
	return r, ok, nil
}

// keepClaim renews the lease while a step runs, and ends the step's context when the claim is lost.
func (s *Service) keepClaim(ctx context.Context, r *run) (context.Context, func()) {
	work, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-work.Done():
				return
			case <-tick.C:
				err := s.store.InTx(work, r.req.Tenant, func(tx *store.Tx) error { return tx.Renew(r.req.ID, r.req.Epoch, lease) })
				if fault.Is(err, fault.Conflict) {
					cancel(errOvertaken)
					return
				}
			}
		}
	}()
	return work, func() { cancel(nil); <-done }
}

type step func(context.Context, *run) error

// decide names the one next step of a request from what is stored. It is a function of status, stage and plan alone.
func (s *Service) decide(r *run) (step, string) {
	switch r.req.Status {
	case dsr.StatusReceived:
		if len(r.sub.Proofs) > 0 || !r.needsProof() {
			return s.skipProof, "skip_proof"
		}
		return s.askProof, "ask_proof"
	case dsr.StatusVerifying:
		return s.expire, "expire"
	case dsr.StatusInReview:
		return s.review, "review"
	case dsr.StatusInGrace:
		return s.endGrace, "end_grace"
	case dsr.StatusExecuting:
		return s.execute(r)
	case dsr.StatusFulfilled, dsr.StatusDenied, dsr.StatusWithdrawn, dsr.StatusExpired:
		return func(ctx context.Context, r *run) error { return s.rest(ctx, r, time.Time{}) }, "rest"
	}
	return func(context.Context, *run) error { return fmt.Errorf("no step for status %q", r.req.Status) }, "none"
}

// needsProof tells whether this request waits for the person to be proven. An objection to marketing does not
// (GDPR Art. 21(3)); nor do the rights that disclose and destroy nothing.
func (r *run) needsProof() bool {
	if r.req.Right == dsr.RightObjection && len(r.req.Changes) == 1 && r.req.Changes[0] == (dsr.Change{Field: "purpose", To: "marketing"}) {
		return false
	}
	return r.req.Right.NeedsProof()
}

// execute names the step of an execution: first by stage, then by the kind of work.
func (s *Service) execute(r *run) (step, string) {
	switch r.req.Stage {
	case dsr.StageCheck:
		return s.check, "check"
	case dsr.StageTell:
		return s.tell, "tell"
	case dsr.StageNone, dsr.StageCapture, dsr.StageAct:
	}
	switch r.req.Right.Work() {
	case dsr.WorkPackage:
		return s.buildPackage, "build_package"
	case dsr.WorkErase:
		if r.req.Stage == dsr.StageAct {
			return s.erase, "erase"
		}
		return s.capture, "capture"
	case dsr.WorkRectify:
		if r.req.Stage == dsr.StageAct {
			return s.rectify, "rectify"
		}
		return s.capture, "capture"
	case dsr.WorkSuppress:
		return s.suppress, "suppress"
	case dsr.WorkLetter:
		return s.answer, "answer"
	}
	return func(context.Context, *run) error { return fmt.Errorf("no work for %q", r.req.Right) }, "none"
}

// fenced runs fn in a transaction on the request as it is stored now, and only if this run still holds it. The
// request handed in carries the claim's epoch, so every write of fn is fenced.
func (s *Service) fenced(ctx context.Context, r *run, fn func(tx *store.Tx, req *dsr.Request) error) error {
	return s.store.InTx(ctx, r.req.Tenant, func(tx *store.Tx) error { return stillOurs(tx, r, fn) })
}

func stillOurs(tx *store.Tx, r *run, fn func(tx *store.Tx, req *dsr.Request) error) error {
	req, err := tx.Request(r.req.ID)
	if err != nil {
		return err
	}
	if req.Epoch != r.req.Epoch || req.Status != r.req.Status {
		return errOvertaken
	}
	return fn(tx, &req)
}

// guard is asked by a connector before each batch: is the claim still ours, and is there no hold? It sees
// all that was committed before it was asked, and takes no lock.
func (s *Service) guard(r *run) connector.Guard {
	return func(ctx context.Context) error {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) error {
			return stillOurs(tx, r, func(_ *store.Tx, req *dsr.Request) error {
				if req.OnHold {
					return errHeld
				}
				return nil
			})
		})
	}
}

// enter moves a request to the next stage of its execution.
func (s *Service) enter(ctx context.Context, r *run, to dsr.Stage) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		return stage(tx, req, to)
	})
}

func stage(tx *store.Tx, req *dsr.Request, to dsr.Stage) error {
	req.Stage, req.NextActionAt, req.Attempts = to, tx.Now, 0
	return tx.UpdateRequest(req, store.Act{By: job(), Action: "request.stage", Facts: map[string]string{"step": string(to)}})
}

// rest gives the claim back; the machine looks again at `at`, or not by itself when it is zero.
func (s *Service) rest(ctx context.Context, r *run, at time.Time) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error { return tx.Release(req, at) })
}

// held rests until the hold is released. One that was released between the look that stopped the work and this
// write has nobody left to wake the request: it goes on at once.
func (s *Service) held(ctx context.Context, r *run) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		if !req.OnHold {
			return tx.Release(req, tx.Now)
		}
		return tx.Release(req, time.Time{})
	})
}

// failed counts a failed try: tried again later, and after the last try, or when trying won't help, a person must look.
func (s *Service) failed(ctx context.Context, r *run, name string, cause error) error {
	ctx = context.WithoutCancel(ctx)
	err := s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		req.Attempts++
		if req.Attempts >= failedTries || errors.Is(cause, errLasting) {
			return attention(tx, req, reasonOf(cause))
		}
		wait := min(time.Second<<min(req.Attempts, 12), 30*time.Minute)
		req.NextActionAt = tx.Now.Add(wait)
		return tx.UpdateRequest(req, store.Act{By: job(), Action: "request.stage", Outcome: "failed", Facts: map[string]string{"step": name}})
	})
	if errors.Is(err, errOvertaken) {
		err = nil
	}
	return errors.Join(err, s.unclaim(ctx, r))
}

// lasting is an error that needs a person, with the coded reason that the officer sees.
type lasting struct {
	reason string
	cause  error
}

func (e *lasting) Error() string        { return e.reason + ": " + e.cause.Error() }
func (e *lasting) Unwrap() error        { return e.cause }
func (e *lasting) Is(target error) bool { return target == errLasting }

func needsPerson(reason, format string, args ...any) error {
	return &lasting{reason, fmt.Errorf(format, args...)}
}

func reasonOf(err error) string {
	var l *lasting
	if errors.As(err, &l) {
		return l.reason
	}
	return dsr.AttentionStepFailed
}

// attention stops the machine's work on a request until a person looks.
func attention(tx *store.Tx, req *dsr.Request, reason string) error {
	req.NeedsAttention, req.NextActionAt = reason, time.Time{}
	act := store.Act{By: job(), Action: "request.attention", Facts: map[string]string{"reason": reason}}
	if err := tx.UpdateRequest(req, act); err != nil {
		return err
	}
	return tx.AddEvent(req.ID, "attention", act)
}
