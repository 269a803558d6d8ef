package mimemail_test

import (
	"strings"
	"testing"
)

func TestAutomatic(t *testing.T) {
	t.Parallel()

	const person = "From: Ana Quill <ana@clinic.example>\n"
	tests := map[string]struct {
		head string
		want string // Why it is no request; "" when it may be one.
		mute bool   // No program may answer.
	}{
		"a person":                             {person + "Return-Path: <ana@clinic.example>\nAuto-Submitted: no\n", "", false},
		"a person's answer to us":              {person + "In-Reply-To: <k7m3-1@fileroom.hospital.example>\n", "", false},
		"a person on Exchange":                 {person + "X-MS-Exchange-Organization-SCL: 1\nX-Auto-Response-Suppress: DR, RN, NRN\n", "", false},
		"a person who marks it urgent":         {person + "Precedence: first-class\nX-Priority: 1\n", "", false},
		"vacation notice":                      {person + "Auto-Submitted: auto-replied (vacation)\n", "an automatic reply", true},
		"out of office from Exchange":          {person + "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nSubject: Automatic reply\n", "a notice written by a program", true},
		"unknown word for automatic":           {person + "Auto-Submitted: auto-notified; owner-email=\"x@y.example\"\n", "a notice written by a program", true},
		"old autoresponder":                    {person + "Precedence: auto_reply\n", "an automatic reply", true},
		"autoresponder of a hosting panel":     {person + "X-Autorespond: out of office\n", "an automatic reply", true},
		"procmail robot":                       {person + "X-Loop: ana@clinic.example\n", "a notice written by a program", true},
		"bounce without return path":           {"Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.clinic.example>\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n", "a report on the delivery of a letter", true},
		"bounce seen only by its type":         {person + "Content-Type: multipart/report; report-type=delivery-status;\n boundary=b\n", "a report on the delivery of a letter", true},
		"read receipt":                         {person + "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n", "a receipt for a letter", true},
		"bounce with a friendly name":          {"From: \"Mail Delivery Subsystem\" <mailer-daemon@googlemail.example>\nX-Failed-Recipients: a@b.example\n", "a report on the delivery of a letter", true},
		"postmaster":                           {"From: postmaster@clinic.example\n", "a report on the delivery of a letter", true},
		"bounce with empty From":               {"From: <>\n", "a report on the delivery of a letter", true},
		"newsletter":                           {person + "List-Unsubscribe: <https://clinic.example/u>\nPrecedence: bulk\n", "a message to a mailing list", true},
		"mailing list":                         {person + "List-Id: Radiology <rad.lists.clinic.example>\n", "a message to a mailing list", true},
		"bulk":                                 {person + "Precedence: bulk\n", "a bulk message", true},
		"junk":                                 {person + "Precedence: Junk\n", "a bulk message", true},
		"no answer wanted":                     {person + "X-Auto-Response-Suppress: OOF, AutoReply\n", "", true},
		"nobody reads it":                      {"From: Portal <no-reply@portal.example>\n", "", true},
		"nobody reads it, spelt otherwise":     {"From: do_not.reply+17@portal.example\n", "", true},
		"no sender":                            {"Subject: hello\n", "", true},
		"two sender fields":                    {person + "From: eve@clinic.example\n", "", true},
		"sender that is no address":            {"From: Ana Quill\n", "", true},
		"our own letter come back":             {"From: images@hospital.example\n", "a letter of our own", true},
		"our own letter, address spelt anew":   {"From: Images+k7m3@Hospital.example\n", "a letter of our own", true},
		"our own letter, sent on by another":   {person + "X-Fileroom-Loop: fileroom K7M3\n", "a letter of our own", true},
		"another hospital with the program":    {"From: images@other.example\nX-Fileroom-Loop: fileroom\nAuto-Submitted: auto-replied\n", "a letter of our own", true},
		"header larger than any":               {"X: " + strings.Repeat("x", 70<<10) + "\n" + person, "", true},
		"field folded over lines":              {person + "Auto-Submitted:\n auto-generated\n", "a notice written by a program", true},
		"name of the field in capitals":        {person + "AUTO-SUBMITTED: AUTO-REPLIED\n", "an automatic reply", true},
		"body that only looks like the header": {person + "\nAuto-Submitted: auto-replied\n", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := parse(t, crlf(tt.head+"\nhello\n"))
			if m.Automatic != tt.want {
				t.Errorf("Automatic = %q, want %q", m.Automatic, tt.want)
			}
			if (m.ReplyTo == "") != tt.mute {
				t.Errorf("ReplyTo = %q, want none: %t", m.ReplyTo, tt.mute)
			}
		})
	}
}

// A fax service's mail is a request, however little it wants to be answered.
func TestAutomaticWithAttachment(t *testing.T) {
	t.Parallel()

	fax := strings.Replace(multipart("mixed", plainPart, attached("fax.tif", "image/tiff", "II*\x00")), "From: Ana Quill <ana@Clinic.example>",
		"From: noreply@fax.example\r\nAuto-Submitted: auto-generated\r\nPrecedence: bulk", 1)
	if m := parse(t, fax); m.Automatic != "" || m.ReplyTo != "" || m.From != "noreply@fax.example" {
		t.Errorf("Automatic = %q, ReplyTo = %q, want a request without answer", m.Automatic, m.ReplyTo)
	}
	bounce := strings.Replace(fax, "From: ", "Return-Path: <>\r\nFrom: ", 1)
	if m := parse(t, bounce); m.Automatic == "" {
		t.Error("a delivery report with our letter attached is taken for a request")
	}
}

func TestReplyTo(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		from, reply string
		want        string
	}{
		"to the sender":                       {"ana@clinic.example", "", "ana@clinic.example"},
		"to another desk of the same domain":  {"ana@clinic.example", "desk@CLINIC.example", "desk@clinic.example"},
		"not to another domain":               {"ana@clinic.example", "eve@evil.example", "ana@clinic.example"},
		"not to a domain beneath":             {"ana@clinic.example", "eve@x.clinic.example", "ana@clinic.example"},
		"not to a robot of the same domain":   {"ana@clinic.example", "noreply@clinic.example", "ana@clinic.example"},
		"not to ourselves":                    {"images@hospital.example", "", ""},
		"not to ourselves by a detour":        {"ana@hospital.example", "Images@hospital.example", "ana@hospital.example"},
		"not to ourselves with an extension":  {"images+x@hospital.example", "ana@hospital.example", ""},
		"to nobody when there is no sender":   {"", "ana@clinic.example", ""},
		"to a colleague in the same hospital": {"ana@hospital.example", "", "ana@hospital.example"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			raw := "Subject: records\nFrom: " + tt.from + "\nReply-To: " + tt.reply + "\n\nhello\n"
			if got := parse(t, raw).ReplyTo; got != tt.want {
				t.Errorf("ReplyTo = %q, want %q", got, tt.want)
			}
		})
	}
}
