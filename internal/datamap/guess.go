package datamap

import (
	"regexp"
	"strings"
)

// typeClass groups the types of all engines by what can be written into them.
type typeClass uint8

const (
	typeOther typeClass = iota
	typeText
	typeNumber
	typeTime
	typeBool
	typeJSON
	typeBytes
	typeUUID
)

func classOf(c *CatalogColumn) typeClass {
	t := strings.ToLower(c.Type)
	if strings.HasSuffix(t, "[]") || len(c.Enum) > 0 || strings.HasPrefix(t, "enum(") || strings.HasPrefix(t, "set(") {
		return typeOther
	}
	if t == "tinyint(1)" {
		return typeBool
	}
	base, _, _ := strings.Cut(t, "(")
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(base, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("char", "text", "clob", "string"):
		return typeText
	case has("json"):
		return typeJSON
	case has("uuid", "uniqueidentifier"):
		return typeUUID
	case has("interval"):
		return typeOther
	case has("bool"):
		return typeBool
	case has("timestamp", "datetime", "date", "time", "year"):
		return typeTime
	case has("int", "serial", "numeric", "decimal", "double", "float", "real", "money", "number"):
		return typeNumber
	case has("bytea", "blob", "binary"):
		return typeBytes
	default:
		return typeOther
	}
}

// What a column's name may say about its content.
const (
	guessEmail    = "an e-mail address"
	guessName     = "a person's name"
	guessSecret   = "a password or secret"
	guessAddress  = "a postal address"
	guessFreeText = "free text"
	guessBirth    = "a date of birth"
)

//nolint:gochecknoglobals // compiled patterns, never written
var (
	// The order matters: the first that fits is told.
	personalNames = []struct {
		what string
		form *regexp.Regexp
	}{
		{guessSecret, regexp.MustCompile(`passw(or)?d|passwd|passwort|kennwort|contrasena|mot_de_passe|(^|_)(pwd|pass)(_|$)|secret|api_?key|(^|_)(access|refresh|auth|session|reset|confirmation|remember|verification|activation|device|push)_?token$|^token$|(^|_)t?otp(_|$)|private_key|recovery_code|(^|_)salt$|security_answer`)},
		{guessEmail, regexp.MustCompile(`e_?mail|(^|_)mail$|^mail_?(addr|address|adresse)?$|correo(_electronico)?$|courriel|posta_elettronica`)},
		{"a telephone number", regexp.MustCompile(`(^|_)(tele)?(phone|fax|mobile|msisdn|handy|telefono?|telefon(nummer)?|telefax|movil|celular|portable|cellulare|tel|cell|gsm)(_|$|[0-9]|number|nummer)|phone_?number`)},
		{guessName, regexp.MustCompile(`(^|_)(first|last|middle|sur|given|family|full|display|nick|maiden|legal|real|fore|screen|person|holder|login|preferred)_?names?$|^surname$|(^|_)user_?name$|(contact|recipient|holder|customer|patient|passenger|author|sender|receiver|guest|employee|member|billing|shipping|student|client)_?name$|^([fl]_?name|vorname|nachname|familienname|benutzername|zuname|rufname|apellidos?|nombres?_completo|primer_apellido|segundo_apellido|prenom|prenoms|nom_de_famille|cognome|nome_completo|nickname|handle|login|pseudo|initials|patronymic)$|nombre_(cliente|usuario|contacto)|ansprechpartner`)},
		{guessBirth, regexp.MustCompile(`birth|(^|_)dob(_|$)|geburt|nacimiento|naissance|nascita`)},
		{guessAddress, regexp.MustCompile(`(^|_)(street|address(_?(line)?_?[0-9])?|addr[0-9]?|adresse|adr|post_?code|postal_?code|zip(_?code)?|strasse|hausnummer|plz|postleitzahl|direccion|domicilio|calle|codigo_postal|cp|rue|code_postal|indirizzo|via|cap|wohnort|anschrift)($|_)`)},
		{"a number of an identity document", regexp.MustCompile(`(^|_)(ssn|social_security(_no|_number)?|passport(_?(no|nr|number))?|national_id|tax_?(id|no|number)|nin|dni|nif|nie|cpf|curp|rfc|bsn|pesel|driver_?s?_licen[cs]e(_no|_number)?|licen[cs]e_plate|steuer_?(id|nr|nummer)|sozialversicherungsnummer|ausweis(nummer|_nr)?|insee|numero_secu|mrn|medical_record_(no|number)|insurance_(no|number)|versicherten(nummer|_nr)|codice_fiscale|vat_(id|no|number)|kennzeichen)(_|$)`)},
		{"a bank account or card", regexp.MustCompile(`(^|_)(iban|ccn|card_?(number|no|holder|last4|last_four)|pan|cvv|cvc|bank_account|account_?(number|no|holder)|bic|swift|kontonummer|konto_nr|kontoinhaber|cuenta_bancaria|rib|sort_code|routing_number|last4)(_|$)`)},
		{"a network address or device", regexp.MustCompile(`(^|_)(ip|ip_?addr(ess)?|remote_addr|client_ip|user_?agent|mac_?address|device_?id|cookie_?id|fingerprint|ipv[46])(_|$)`)},
		{"a place on the map", regexp.MustCompile(`(^|_)(latitude|longitude|lat|lng|geo_?(point|location|hash)|gps)(_|$)`)},
		{"data about health", regexp.MustCompile(`(^|_)(diagnos[ei]s?|diagnostico|diagnostic|allerg(y|ies|ie|ien|ias)|blood_?(type|group)|blutgruppe|medication|disabilit(y|ies)|symptoms?|befund|sintomas|treatment_notes|medical_history)(_|$)`)},
		{"a trait of a person", regexp.MustCompile(`(^|_)(gender|sex|religion|ethnicity|nationality|marital_status|geschlecht|sexo|genero|sexe|konfession|familienstand|estado_civil|nationalite|nacionalidad|staatsangehoerigkeit|salary|wage|gehalt|salario|sueldo|salaire|stipendio|iq|grade_point_average)(_|$)`)},
		{"a picture or signature", regexp.MustCompile(`(^|_)(avatar|photo|picture|portrait|selfie|signature|profile_image|profile_pic|foto|unterschrift|firma_digital)(_|$)`)},
		{"a profile elsewhere", regexp.MustCompile(`(^|_)(twitter|linkedin|facebook|instagram|skype|github|telegram|whatsapp|mastodon)(_|$)`)},
		{guessFreeText, regexp.MustCompile(`^(bio|about|about_me|body|message|comment|comments|notes?|remarks?|feedback|content|bemerkung(en)?|notiz(en)?|nachricht|mensaje|comentarios?|observaciones|commentaires?|messaggio|.*_(notes?|comments?|message|content|bio))$`)},
	}
	// Names that hold an e-mail word and no address.
	notAnAddress = regexp.MustCompile(`verif|confirm|sent|count|template|subject|body|opt_?(in|out)|status|type|notif|bounce|enabled|token|domain|format|setting|preference|allow|receive|consent|_at$|^is_|^has_|_id$|digest|hash`)
	// What is part of a postal address beside a street or a postal code, or in a table of people.
	nearAddress  = regexp.MustCompile(`(^|_)(house(_?no)?|city|town|state|province|region|country|county|district|suburb|ort|stadt|bundesland|land|ciudad|provincia|poblacion|pais|ville|pays|citta)$`)
	bareName     = regexp.MustCompile(`^(name|nombre|nom|nome|naam|title_and_name)$`)
	secretNames  = regexp.MustCompile(`passw|passwd|pwd|passwort|kennwort|contrasena|mot_de_passe|secret|api_?key|token|otp|totp|private_key|recovery_code|salt|security_answer`)
	fileForm     = regexp.MustCompile(fileColumns)
	softDeleted  = regexp.MustCompile(softDelete)
	typeSuffixes = regexp.MustCompile(`^(.*?)_?(type|class|klass|model|kind|typ|tipo)$`)
)

// looksPersonal guesses from a column's name what of a person it may hold; "" when nothing speaks for it.
func looksPersonal(column string) string {
	name := snake(column)
	if strings.HasSuffix(name, "_id") && !strings.Contains(name, "national") && !strings.Contains(name, "tax") && !strings.Contains(name, "steuer") &&
		!strings.Contains(name, "cookie") && !strings.Contains(name, "device") && !strings.Contains(name, "vat") {
		return ""
	}
	for _, p := range personalNames {
		if !p.form.MatchString(name) {
			continue
		}
		if p.what == guessEmail && notAnAddress.MatchString(name) {
			continue
		}
		return p.what
	}
	return ""
}

// personal guesses what a column holds, from its name, its type, the company it keeps and the shapes of sampled values.
func personal(t *CatalogTable, c *CatalogColumn, person bool, s ColumnSample) string {
	what := looksPersonal(c.Name)
	if what == "" {
		what = looksPersonal(withoutTable(t, c.Name))
	}
	class := classOf(c)
	switch {
	case class == typeBool, class == typeNumber && (what == guessName || what == guessAddress && !strings.Contains(snake(c.Name), "code") && !strings.Contains(snake(c.Name), "plz") && !strings.Contains(snake(c.Name), "zip") || what == guessFreeText || what == guessEmail),
		class == typeTime && what != guessBirth, what == guessFreeText && class != typeText && class != typeJSON,
		what == guessFreeText && c.Length > 0 && c.Length < 60:
		what = ""
	}
	if shape := s.mostly(); shape != "" && what != guessSecret && class == typeText {
		return shape
	}
	if what != "" {
		return what
	}
	name := snake(c.Name)
	if class != typeText {
		return ""
	}
	if bareName.MatchString(name) && person {
		return guessName
	}
	if nearAddress.MatchString(name) && (person || hasAddress(t)) {
		return guessAddress
	}
	return ""
}

// withoutTable takes a table's own name from the head of a column's: post_content of posts is content.
func withoutTable(t *CatalogTable, column string) string {
	ws, own := words(column), words(t.Bare)
	if len(ws) > 1 && len(own) > 0 && stem(ws[0]) == stem(own[len(own)-1]) {
		return strings.Join(ws[1:], "_")
	}
	return column
}

func hasAddress(t *CatalogTable) bool {
	for i := range t.Columns {
		if looksPersonal(t.Columns[i].Name) == guessAddress {
			return true
		}
	}
	return false
}

// keyNames gives the names under which other tables are likely to hold a subject's key, without underscores and in
// lower case: for customers(id) `customerid` and `customersid`.
func keyNames(s Subject) []string {
	if len(s.Key) != 1 {
		return nil
	}
	flat := func(x string) string { return strings.ReplaceAll(snake(x), "_", "") }
	table := flat(s.Table[strings.LastIndex(s.Table, ".")+1:])
	key := flat(s.Key[0])
	suffix := key
	switch key {
	case "id", "uid", "uuid", "guid", "key", "pk", "no", "code":
	default:
		suffix = "id"
	}
	out := []string{table + suffix, singular(table) + suffix}
	if suffix != key {
		out = append(out, key)
	}
	return out
}

func singular(s string) string {
	switch {
	case strings.HasSuffix(s, "ies"):
		return s[:len(s)-3] + "y"
	case strings.HasSuffix(s, "sses"), strings.HasSuffix(s, "xes"):
		return s[:len(s)-2]
	case strings.HasSuffix(s, "ss"):
		return s
	case s == "people":
		return "person"
	default:
		return strings.TrimSuffix(s, "s")
	}
}

// suspectedKey tells whether a column is named and typed as if it held a subject's key without a declared reference.
func suspectedKey(c *CatalogColumn, s Subject, cat *Catalog) bool {
	names := keyNames(s)
	flat := strings.ReplaceAll(snake(c.Name), "_", "")
	hit := false
	for _, n := range names {
		hit = hit || n == flat
	}
	if !hit {
		return false
	}
	t, ok := cat.Table(s.Table)
	if !ok {
		return false
	}
	key, ok := t.Column(s.Key[0])
	return ok && classOf(key) == classOf(c)
}
