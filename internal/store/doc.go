// Package store is the memory of the program: everything that must survive a crash is written and read
// here, on PostgreSQL or on SQLite, and nothing above it knows gorm or SQL.
//
// The one idea is that whatever belongs together is one transaction of one tenant:
//
//	InTx(ctx, tenant, func(tx *Tx) error {     set_config('app.tenant', $1, true) first; tx.Now is frozen
//	    req, err := tx.Request(id)             locked until the end
//	    tx.Transition(&req, event, act, …)     status + event + audit leaf + next action, or nothing
//	    tx.QueueMail(…)                        outside effects are rows, carried out after the commit
//	})
//
// Four rules hold for every statement:
//
//   - It names the tenant. PostgreSQL refuses or hides foreign rows by forced row-level security; on both
//     engines guard.go refuses a statement whose text lacks the tenant.
//   - Personal data are sealed before they reach it. Each submission has a data key of its own, wrapped by the
//     tenant's key, wrapped by the master key; forgetting a submission is deleting its key. Hashes by which a
//     person can be found again are keyed by the tenant's key.
//   - A change of a request is guarded twice: by the epoch, which only Claim raises (a worker that was overtaken
//     writes nothing more), and by updated_at, which every write moves (nobody writes over what they have not read).
//   - Whoever acts is written down in the same transaction, or nothing happens.
//
// The audit log has two halves. Tx.Audit appends a leaf inside the transaction of the act and gives it no number,
// so that writers never wait for one another; Store.Sequence numbers the waiting leaves, hashes them into the tree
// and signs the new head.
//
// Engine differences live in dialect.go, the schema in package migrations, one aggregate in one file with its
// private row type. What it does not own: when something is done and whether it may be (the use cases).
package store
