package access

import "slices"

// row is one action and everybody who may do it.
type row struct {
	action Action
	roles  []Role
	kinds  []Kind // of principals without roles
}

// table is the whole of authorization: whoever does not stand in an action's row may not do it.
// testdata/table.golden holds the same as a matrix for people to read; a change shows up there.
//
// Reasons that a cell can't show:
//   - admin has no cell on requests: whoever sets the rules must not decide a case by them, and needs no
//     person's data to do the work.
//   - approver approves and denies and prepares nothing: the second pair of eyes did not make what it looks at.
//   - person reads, withdraws, writes and downloads; that these are its own follows from its session.
//   - job may do what a step of the process does by itself; a decision of a person is never a job's.
func table() []row {
	const (
		off, app, aud, adm, org, pro = RoleOfficer, RoleApprover, RoleAuditor, RoleAdmin, RoleOrgAdmin, RoleProduct
		person, job, system, public  = KindPerson, KindJob, KindSystem, KindPublic
	)
	roles := func(r ...Role) []Role { return r }
	kinds := func(k ...Kind) []Kind { return k }
	return []row{
		{RequestCreate, roles(off, org, pro), kinds(public, job)},
		{RequestList, roles(off, app, aud, org, pro), kinds(job)},
		{RequestRead, roles(off, app, aud, org, pro), kinds(person, job)},
		{RequestApprove, roles(off, app), nil},
		{RequestDeny, roles(off, app), nil},
		{RequestExtend, roles(off), nil},
		{RequestPause, roles(off), nil},
		{RequestHold, roles(off), nil},
		{RequestLift, roles(off), nil},
		{RequestAssign, roles(off), nil},
		{RequestVerify, roles(off), kinds(public)},
		{RequestWithdraw, roles(off, org, pro), kinds(person, job)},
		{RequestRetry, roles(off), kinds(job)},
		{PlanRead, roles(off, app, aud), kinds(job)},
		{PlanMake, roles(off), kinds(job)},
		{NoteRead, roles(off, app, aud), nil},
		{NoteWrite, roles(off), nil},
		{MessageRead, roles(off, app, aud), kinds(person, job)},
		{MessageWrite, roles(off), kinds(person)},
		{PackageReview, roles(off), nil},
		{PackageDownload, nil, kinds(person)},
		{CertificateRead, roles(off, app, aud), kinds(person, job)},
		{ObligationList, roles(off, app, aud), kinds(job)},
		{SuppressionCheck, roles(off, aud, pro), kinds(job)},
		{SuppressionWrite, roles(off), kinds(job)},
		{AuditRead, roles(aud), kinds(job)},
		{MetricsRead, roles(off, app, aud, adm), kinds(job)},
		{WebhookRead, roles(aud, adm), nil},
		{WebhookManage, roles(adm), nil},
		{SettingsRead, roles(off, app, aud, adm), kinds(job)},
		{SettingsWrite, roles(adm), nil},
		{TenantApply, roles(adm), kinds(job)},
		{TaskResult, roles(pro), kinds(system)},
		{EventSend, roles(pro), kinds(system)},
	}
}

func allowedRole(r Role, a Action) bool {
	for _, row := range table() {
		if row.action == a {
			return slices.Contains(row.roles, r)
		}
	}
	return false
}

func allowedKind(k Kind, a Action) bool {
	for _, row := range table() {
		if row.action == a {
			return slices.Contains(row.kinds, k)
		}
	}
	return false
}
