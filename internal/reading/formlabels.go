package reading

import (
	"regexp"
	"strings"
)

// A labelKind says what a label asks for.
type labelKind string

const (
	askName         labelKind = "name"
	askGiven        labelKind = "given"
	askMiddle       labelKind = "middle"
	askFamily       labelKind = "family"
	askBirth        labelKind = "birth"
	askMRN          labelKind = "mrn"
	askPhone        labelKind = "phone"
	askOtherPhone   labelKind = "other-phone" // At work, or a mobile.
	askFax          labelKind = "fax"
	askEmail        labelKind = "email"
	askAddress      labelKind = "address"
	askUnit         labelKind = "unit"
	askCity         labelKind = "city"
	askState        labelKind = "state"
	askZip          labelKind = "zip"
	askTown         labelKind = "town" // City, state and perhaps ZIP code together.
	askAttention    labelKind = "attention"
	askDate         labelKind = "date"
	askToday        labelKind = "today" // When the form was written.
	askSignature    labelKind = "signature"
	askPrinted      labelKind = "printed"
	askRelationship labelKind = "relationship"
	askService      labelKind = "service" // Dates of service, or what was done then.
	askSpecify      labelKind = "specify"
	askReason       labelKind = "reason"
	askExpiry       labelKind = "expiry"
	askNothing      labelKind = "nothing" // A label whose value is none of the request.
)

// A party is whom a part of a form is about.
type party string

const (
	anybody       party = ""
	thePatient    party = "patient"
	theRecipient  party = "recipient"
	theDiscloser  party = "discloser" // The hospital that has the images.
	theSigner     party = "signer"
	officeOnly    party = "office"
	theRecords    party = "records"
	theConditions party = "conditions" // Purpose, delivery and what is understood.
)

// A labelForm is a way in which a form asks for something.
type labelForm struct {
	kind  labelKind
	party party // Whose it is, where the label says so.
	re    *regexp.Regexp
}

// label compiles the words of a label. What forms put behind them in
// brackets, or as a sign, belongs to the label.
func label(kind labelKind, party party, words string) labelForm {
	words = looseSpaces.Replace(words)
	re := regexp.MustCompile(`(?i)^(?:[|*•(]\s*)?(?:` + words + `)\*?(?:\s*\([^)]{0,60}\)?)?\s*[#:;.*)]*(?:\s*[#:])?`)
	re.Longest() // The order of the words does not matter then.
	return labelForm{kind, party, re}
}

// signers are the words for who signs.
const signers = `(?:(?:the|pa[^ /]{2,5}t|legally|legal|personal|authorized|guardian|conservator|representative|courier|individual|person|party|signing|or|and|of|\(circle one\)|\(or)(?:['’]?s)?[*/,)]*[ /]*)+`

// looseSpaces makes spaces optional, which get lost where print is poor.
var looseSpaces = strings.NewReplacer(" ?", " ?", " ", " ?")

const patients = `(?:patient(?:['’]?s)?|pt\.?|paciente)`

// labelForms are the labels of forms, in English and Spanish; where two fit, the longer does.
var labelForms = []labelForm{
	label(askName, thePatient, `(?:legal )?`+patients+` (?:legal |full )*name|name of (?:the )?patient|nombre (?:completo |legal )*del? paciente|nombre y apellidos? del paciente`),
	label(askName, theRecipient, `person (?:or|/) ?(?:entity|organization|facility)|individual or organization|requestor name|recipient(?:['’]?s)? name|name (?:and/or ?|/ ?|or )facility|name of (?:(?:the )?(?:physician|person|individual|organization|recipient|company|facility|provider)(?: ?/ ?| or | and |, )?)+(?: receiving [a-z ]*)?|person/place/information|nombre de la persona u organizaci[óo]n[^()]*|send to|deliver to`),
	label(askName, theDiscloser, `(?:disclosing )?facility name|provider/facility name|name of (?:site|disclosing)(?: location| hospital/provider)?|practice name|provider name|[A-Z]{3,6} provider name`),
	label(askName, anybody, `(?:full |legal )?name|nombre(?: completo)?`),
	label(askGiven, anybody, `first(?: name)?|given name|primer nombre|nombre\(s\)`),
	label(askMiddle, anybody, `middle(?: name| initial)?|m\.?i\.?|segundo nombre`),
	label(askFamily, anybody, `last(?: name)?|family name|surname|apellidos?`),
	label(askNothing, anybody, `(?:preferred|former|previous|maiden|other|maiden/other)(?: or other)? names?(?:, if applicable)?|(?:list )?any previous names|nombre (?:anterior|preferido)[a-z, ]*|ssn?\b.{0,18}|(?:last|[úu]ltimos) (?:4|four)[a-z0-9 ]*|account|id verif\w*[a-z ]*|witness(?: signature)?|license|time(?: ?/ ?hora)?|hora|department/provider|specify dates|requested delivery date|location|visit type|date request (?:received|completed)|expiration date|other instructions|patient or personal representative id.*`),
	label(askBirth, thePatient, `(?:`+patients+` )?(?:date of birth|birth ?-?date|d\.?o\.?b\.?)(?: mm/dd/yyyy)?|fecha de nac(?:imiento|\.)?`),
	label(askMRN, thePatient, `(?:`+patients+` |duke )?(?:medical record|hospital|med\.? rec\.?|chart|history)(?: (?:number|no\.?|#))+|(?:`+patients+` )?m\.?r\.?n\.?(?: ?#| number)*|n[úu]mero de (?:expediente|historia(?: cl[íi]nica)?)`),
	label(askNothing, anybody, `phone number \(if different.*|telephone number \(if different.*`),
	label(askPhone, thePatient, patients+` (?:tele)?phone(?: number| no\.?)?|(?:home|daytime) (?:tele)?phone(?: number)?|n[úu]mero telef[óo]nico del paciente|tel[ée]fono (?:de casa|del paciente)`),
	label(askOtherPhone, anybody, `cell(?:/work)?(?: phone)?|(?:work|mobile) phone|tel[ée]fono (?:de trabajo|celular)`),
	label(askPhone, anybody, `(?:(?:day|preferred) )?(?:tele)?phone(?: number| no\.?| ?#)*|tel\.?|(?:n[úu]mero de )?tel[ée]fono`),
	label(askFax, anybody, `fax(?: number| no\.?| ?#)*|(?:n[úu]mero de )?fax`),
	label(askEmail, thePatient, patients+` e-?mail(?: address)?|correo electr[óo]nico del paciente`),
	label(askEmail, anybody, `e-?mail(?: address)?|correo electr[óo]nico`),
	label(askAddress, thePatient, patients+` (?:street ?/? ?|mailing ?|home ?)*(?:address|/mailing address)`),
	label(askAddress, anybody, `(?:complete |street |mailing |home |street/mailing )*address(?: \(street.*)?|street|direcci[óo]n(?: postal)?|domicilio|calle`),
	label(askUnit, anybody, `apt\.?(?: ?#| no\.?)?|apartment|suite|apto\.?`),
	label(askTown, anybody, `ci[tl]y,? ?/? ?state,?(?:,? and|/)? ?/?(?:zip(?: ?code)?)?`),
	label(askCity, anybody, `city|ciudad`),
	label(askState, anybody, `state|estado`),
	label(askZip, anybody, `zip(?: ?code)?|postal code|c[óo]digo postal`),
	label(askAttention, theRecipient, `attention(?: to)?|attn|atenci[óo]n`),
	label(askSignature, theSigner, `(?:(?:`+patients+`|legal)['’]?s? )?signature(?: of `+signers+`)?|[^ ]{2,9} of (?:the )?patient(?:['’]s)?\*?(?:/|,| or) `+signers+`|firma(?: del?\b[^:]{0,60})?|signed`),
	label(askNothing, anybody, `signature (?:of )?(?:minor|witness)|(?:print(?:ed)? )?name of minor|for internal use.*|released by|picked up by`),
	label(askPrinted, theSigner, `(?:please )?print(?:ed)? (?:`+patients+` )?name(?: of `+signers+`)?|nombre en (?:letras? de )?(?:molde|imprenta)|(?:print )?`+patients+`['’]?s? authorized representative name`),
	label(askRelationship, theSigner, `(?:description of )?(?:relationship|authority)(?: of representative)?(?: to (?:act for )?(?:the )?patient[^:]{0,44})?|parentesco(?: con\b[^:]{0,60})?|relaci[óo]n con\b[^:]{0,60}`),
	label(askDate, theSigner, `date(?: signed)?(?: ?/ ?(?:time|fecha))?|fecha(?: de (?:la )?firma)?|dated`),
	label(askToday, theSigner, `date requested|date of request|today['’]?s date|fecha de (?:hoy|solicitud)`),
	label(askService, theRecords, `(?:medical images requested ?[–-] ?)?(?:for )?(?:treatment )?(?:dates?\(?s?\)?|date range) (?:of (?:service|treatment|exam)|for records)(?: or time period)?|treatment date\(?s?\)?|treatment dates|(?:para las )?fechas? de (?:servicio|tratamiento)|covering the period\(?s?\)? of health ?care|time period`),
	label(askSpecify, theRecords, `(?:other(?: imaging| images| records| specific record needed)?|otros?(?: expedientes)?)(?: \((?:please )?specify[^)]*\))?:?|radiology image\(?s?\)?:|radiology images:? \(?(?:please )?specify[^:_)]{0,60}|special requests|pertaining to|exam\(?s?\)?(?: requested)?|type of exam(?:ination)?`),
	label(askReason, theConditions, `(?:describe the )?(?:purpose|reason)s? ?/?(?:reason )?(?:for|of)? ?(?:this |which |the )?(?:request|disclosure|release)?|(?:finalidad|prop[óo]sito|raz[óo]n|motivo)(?: de\b[^:]{0,50})?`),
}

// A heading begins a part of a form. In a form of two columns it is for its own column.
type heading struct {
	party party
	re    *regexp.Regexp
}

// headings tell whom the labels below them are about, the more telling first.
var headings = []heading{
	{officeOnly, regexp.MustCompile(`(?i)\b(?:for (?:office|internal|hospital|staff)|(?:mr|office|internal) use only|use only|to be completed by (?:di|staff|the hospital|medical records))`)},
	{officeOnly, regexp.MustCompile(`(?i)^(?:send|return|submit|mail|entregar|enviar)\b[a-z ]*(?:completed|form\b|request to one|autorizaci[óo]n)`)},
	{theRecipient, regexp.MustCompile(`(?i)\bwho (?:will|may) (?:receive|have)|\b(?:send|release|give|mail)\b[a-z’' ]{0,44}?\b(?:information|records|images|copies|to be released)? ?to\b\s*(?:\(|:|$|the following)|\b(?:released?|disclosed?) to\b(?:\s*:|\s*$|.{0,60}:$)|\b(?:receiving party|name of recipient|recipient)\b|\bpersona que recib|\b(?:obtain from and/or )?release to:|divulgar.{0,40}\ba:|enviar.{0,30}\ba:`)},
	{theDiscloser, regexp.MustCompile(`(?i)\b(?:release|request|obtain|records|to be released|disclosed)\b[a-z ]{0,30}\bfrom\b|\bi (?:hereby )?authorize\b|\b(?:disclosing|releasing) (?:hospital|facility|party)|\bautorizo\b|treatment location|\bfacility/facilities|centro/?s m[ée]dico`)},
	{thePatient, regexp.MustCompile(`(?i)\bpatient information\b|informaci[óo]n del paciente|section to be completed by the patient`)},
	{theRecords, regexp.MustCompile(`(?i)\b(?:information|records|images|documents)\b.{0,24}\b(?:to be (?:released|disclosed)|requested)\b|type of (?:information|records)|description of (?:the )?(?:health )?information|descripci[óo]n de la informaci[óo]n|health information you authorize|informaci[óo]n de salud espec`)},
	{theConditions, regexp.MustCompile(`(?i)^(?:part [a-z]: ?|[a-z0-9]\.? )?(?:purpose|prop[óo]sito|razones|format|delivery|method|release (?:format|method|instructions)|records delivery|expiration|vencimiento|review and approval|your rights|i understand|section b)`)},
}
