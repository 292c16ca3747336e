// Package ui owns what the pages have in common: the layout, the one style sheet, texts in four languages, how dates and
// sizes are written, and the small guards of forms and cookies. It knows no page of its own but the one for errors, and
// calls no use case.
//
// A page is a template file with a "main"; it is rendered with a View, whose Body is the page's own. No page needs or
// has a script.
//
//	portal, console ── Render(View{Lang, Title, Body}) ──► layout + page ── T("key") ──► lang/<language>.json
package ui
