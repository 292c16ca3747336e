package fulfill

import (
	"context"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// Reveal records that an officer looks at what the console masks: who asks. If it can't be recorded, nothing is shown.
func (s *Service) Reveal(ctx context.Context, p access.Principal, id dsr.RequestID) error {
	return s.onRequest(ctx, p, id, access.RequestRead, func(tx *store.Tx, _ *run) error {
		return tx.Audit(store.Act{By: tx.Actor(p), Action: "person.reveal"}, requestObject(id))
	})
}
