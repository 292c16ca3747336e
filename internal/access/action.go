package access

// Action is one thing that may be allowed or refused. Its value is stable: it stands in audit entries
// and in problem answers.
type Action string

// The actions. Reading is apart from changing everywhere, so that an auditor is a column and no exception.
const (
	RequestCreate   Action = "request.create"   // make a request for somebody
	RequestList     Action = "request.list"     // the queue
	RequestRead     Action = "request.read"     // one request, its events and its clock
	RequestApprove  Action = "request.approve"  // an approval of a plan by its digest
	RequestDeny     Action = "request.deny"     // a denial with its ground
	RequestExtend   Action = "request.extend"   // GDPR Art. 12(3): two further months
	RequestPause    Action = "request.pause"    // pause and resume the legal clock
	RequestHold     Action = "request.hold"     // place and release a legal hold
	RequestLift     Action = "request.lift"     // lift the ceiling of rows for one request
	RequestAssign   Action = "request.assign"   // give a request to an officer
	RequestVerify   Action = "request.verify"   // verification by an officer
	RequestWithdraw Action = "request.withdraw" // withdraw, also out of a running grace period
	RequestRetry    Action = "request.retry"    // run a failed step again
	PlanRead        Action = "plan.read"        // see what would happen
	PlanMake        Action = "plan.make"        // make the plan anew
	NoteRead        Action = "note.read"        // internal notes
	NoteWrite       Action = "note.write"       // write an internal note
	MessageRead     Action = "message.read"     // correspondence with the person
	MessageWrite    Action = "message.write"    // write to the person, or as the person
	PackageReview   Action = "package.review"   // look into a package before release; redactions
	PackageDownload Action = "package.download" // the person's own package
	CertificateRead Action = "certificate.read" // the certificate of an erasure
	ObligationList  Action = "obligation.list"  // what is still due years ahead

	SuppressionCheck Action = "suppression.check" // is an identifier on a list
	SuppressionWrite Action = "suppression.write" // put one on, take one off

	AuditRead     Action = "audit.read"     // entries, tree heads, proofs
	MetricsRead   Action = "metrics.read"   // counts a year, as CCPA regulations § 7102 ask for
	WebhookRead   Action = "webhook.read"   // endpoints and deliveries, without secrets
	WebhookManage Action = "webhook.manage" // endpoints, secrets, redelivery
	SettingsRead  Action = "settings.read"  // policy, data map, versions
	SettingsWrite Action = "settings.write" // officers, branding, letters
	TenantApply   Action = "tenant.apply"   // a new version of policy and data map
	TaskResult    Action = "task.result"    // a connected system answers a task
	EventSend     Action = "event.send"     // a connected system tells of an event
)

// Actions gives every action in the order of the table.
func Actions() []Action {
	list := make([]Action, 0, len(table()))
	for _, row := range table() {
		list = append(list, row.action)
	}
	return list
}
