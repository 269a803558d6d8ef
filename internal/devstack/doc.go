// Package devstack starts, watches over and stops the real servers that
// `fileroom dev`, `fileroom demo` and the tests work with: Temporal with its
// Web UI, PostgreSQL, a mailbox (Dovecot) with an SMTP server that delivers
// into it, and two DICOMweb archives (Orthanc): the hospital's PACS and the
// receiving facility's.
//
// It knows nothing of requests, cases or workflows. It is for development: it
// is never part of an installation that holds patients.
//
// It promises:
//
//   - Everything answers on the loopback interface alone. Orthanc listens on
//     every interface whatever it is told; it refuses all but loopback.
//   - [Start] returns when every server was used with success: a login, a
//     query. A server that dies is started again.
//   - [Stack.Stop] ends every process. So does the end of this process,
//     however it comes: each child asks the kernel for a signal when its
//     parent dies. A process left over from an earlier run is ended at the
//     next start when its identity proves that it is ours.
//   - Two stacks run side by side, given two folders and two port bases.
//   - Passwords are random for each data folder and kept in it, mode 0600.
//
// # Ports
//
// A stack owns the twenty ports from its base:
//
//	+0  Temporal frontend (gRPC)
//	+1  Temporal Web UI, which people reach through the gateway
//	+2  the gateway, HTTPS (kept free for the program)
//	+3  the worker's metrics (kept free for the program)
//	+4  PostgreSQL
//	+5  IMAP over TLS
//	+6  SMTP submission (STARTTLS)
//	+7  PACS, HTTP with DICOMweb at /dicom-web
//	+8  receiving archive, the same
//	+9  to +11  between the parts of Temporal
//	+12 to +19  kept free for what comes
//
// # The data folder
//
//	secrets.json   passwords (0600)
//	ca.pem         the stack's own certificate authority; its key is kept nowhere
//	tls.pem        certificate of the servers, as localhost, with tls-key.pem
//	gateway.pem    certificate of the gateway, as ui. and panel.fileroom.localhost, with gateway-key.pem
//	client.pem     certificate of Temporal's clients, with client-key.pem
//	lock           held while a stack uses the folder
//	logs/          one file for each server
//	pids/          who runs, to find what an earlier run left over
//	temporal/      Temporal's database
//	servers/       data of the servers that must not run as root
//
// PostgreSQL refuses to run as root, and the others should not. Started by
// root, they run as the user "fileroom" if there is one, else as "nobody", who
// must be able to reach servers/. Where a folder above forbids that, as /root
// does, servers/ is a symbolic link to a folder of this stack's own under
// /var/lib/fileroom; the file OWNER in there names the data folder it belongs
// to. Sockets live in servers/run, or, where that path would be longer than a
// socket's name may be, in a folder under /tmp.
package devstack
