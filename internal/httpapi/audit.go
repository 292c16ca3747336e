package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/store"
)

func (a *door) listAuditEntries(c echo.Context) error {
	q := queryOf(c)
	f := store.AuditFilter{Action: q.text("action"), ObjectID: q.text("object"), From: q.instant("from"), To: q.instant("to"),
		Cursor: q.text("cursor"), Limit: q.limit()}
	if err := q.err(); err != nil {
		return err
	}
	items, next, err := a.Audit.Entries(c.Request().Context(), principal(c), f)
	if err != nil {
		return err
	}
	return page(c, each(items, func(r store.AuditRecord) api.AuditEntry {
		e := r.Entry
		return api.AuditEntry{Seq: r.Seq, ID: e.ID, At: instant(e.At), Actor: api.AuditActor{Kind: e.Actor.Kind, Hash: e.Actor.Hash},
			Action: e.Action, Object: api.AuditObject{Kind: e.Object.Kind, ID: e.Object.ID}, Outcome: e.Outcome, Facts: facts(e.Facts), Leaf: r.Leaf}
	}), next)
}

func (a *door) getTreeHead(c echo.Context) error {
	signed, vkey, err := a.Audit.Head(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	head, err := auditlog.OpenCheckpoint(signed, vkey)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, api.TreeHead{Origin: head.Origin, Size: head.Size, Root: head.Root.String(), Note: string(signed), PublicKey: vkey})
}

// getProof proves inclusion (entry, size) or consistency (from, size). Without size it is that of the newest head.
func (a *door) getProof(c echo.Context) error {
	q := queryOf(c)
	entry, from, size := q.number("entry"), q.number("from"), q.number("size")
	if (entry < 0) == (from < 0) && len(q.wrong) == 0 {
		q.bad("entry", "give either entry, for inclusion, or from, for consistency")
	}
	if err := q.err(); err != nil {
		return err
	}
	ctx, p := c.Request().Context(), principal(c)
	if size < 0 {
		signed, vkey, err := a.Audit.Head(ctx, p)
		if err != nil {
			return err
		}
		head, err := auditlog.OpenCheckpoint(signed, vkey)
		if err != nil {
			return err
		}
		size = head.Size
	}
	if entry >= size || from > size {
		q.bad("size", "there is no such entry or size in a log of that size")
		return q.err()
	}
	out := api.AuditProof{Kind: "consistency", From: &from, Size: size}
	var hashes []tlog.Hash
	var err error
	if entry >= 0 {
		out.Kind, out.From, out.Entry = "inclusion", nil, &entry
		out.Leaf, hashes, err = a.Audit.Inclusion(ctx, p, entry, size)
	} else {
		hashes, err = a.Audit.Consistency(ctx, p, from, size)
	}
	if err != nil {
		return err
	}
	out.Hashes = each(hashes, tlog.Hash.String)
	return c.JSON(http.StatusOK, out)
}
