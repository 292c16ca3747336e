// Package jobs is the door through which the machine itself comes in: it finds what is due, wakes workers, and calls
// the use case that carries it on.
//
//	Sweeper ── store.Due ──► asynq task {kind, tenant, id} ──► Worker ──► fulfill.Advance, notify, webhook, …
//	                              (Redis, or in-process)
//
// The database is the work list; asynq carries wake-ups and nothing else. A payload is two ids. Losing one, or all of
// them, costs at most one sweep; a doubled one finds the row claimed and does nothing. Nothing is retried by asynq:
// tries are counted in the database, by the use case that knows why it failed.
//
// No other package knows asynq or the in-process Redis.
package jobs
