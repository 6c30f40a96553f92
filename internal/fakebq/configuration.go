package fakebq

import (
	"fmt"
	"regexp"
	"slices"

	bigquery "google.golang.org/api/bigquery/v2"
)

var (
	reservation = regexp.MustCompile(`^(none|projects/[^/]+/locations/[^/]+/reservations/[^/]+)$`)
	kmsKey      = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`)
	timeZone    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+/-]*$`)
)

// checkConfiguration validates the settings of a job other than its statement.
func checkConfiguration(c *bigquery.JobConfiguration) *Error {
	q := c.Query
	for _, enum := range []struct {
		name, value string
		allowed     []string
	}{
		{"priority", q.Priority, []string{"INTERACTIVE", "BATCH"}},
		{"writeDisposition", q.WriteDisposition, []string{"WRITE_EMPTY", "WRITE_APPEND", "WRITE_TRUNCATE",
			"WRITE_TRUNCATE_DATA"}},
		{"createDisposition", q.CreateDisposition, []string{"CREATE_IF_NEEDED", "CREATE_NEVER"}},
	} {
		if enum.value != "" && !slices.Contains(enum.allowed, enum.value) {
			return &Error{Reason: "invalid", Location: enum.name,
				Message: fmt.Sprintf("Invalid value for %s: %s is not a valid value", enum.name, enum.value)}
		}
	}
	if c.Reservation != "" && !reservation.MatchString(c.Reservation) {
		return &Error{Reason: "invalid", Message: fmt.Sprintf("Invalid reservation name %q", c.Reservation)}
	}
	if e := q.DestinationEncryptionConfiguration; e != nil && !kmsKey.MatchString(e.KmsKeyName) {
		return &Error{Reason: "invalid", Message: fmt.Sprintf("Invalid Cloud KMS key name %q", e.KmsKeyName)}
	}
	if t := q.DestinationTable; t != nil && (t.ProjectId == "" || t.TableId == "" ||
		!datasetID.MatchString(t.DatasetId)) {
		return &Error{Reason: "invalid", Message: "Invalid destination table: projectId, datasetId and tableId are " +
			"required"}
	}
	seen := map[string]bool{}
	for _, p := range q.ConnectionProperties {
		if seen[p.Key] {
			return &Error{Reason: "invalid", Message: fmt.Sprintf("Connection property %s is given more than once",
				p.Key)}
		}
		seen[p.Key] = true
		if p.Key == "time_zone" && !timeZone.MatchString(p.Value) {
			return &Error{Reason: "invalidQuery", Message: "Invalid time zone: " + p.Value}
		}
	}
	return nil
}

// checkDestination returns an error for a destination table of a statement without rows.
func checkDestination(statementType string) *Error {
	switch statementType {
	case "SELECT":
		return nil
	case "SCRIPT":
		return &Error{Reason: "invalidQuery", Message: "configuration.query.destinationTable cannot be set for scripts"}
	case "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE":
		return &Error{Reason: "invalidQuery", Message: "Cannot set destination table in jobs with DML statements"}
	}
	return &Error{Reason: "invalidQuery", Message: "Cannot set destination table in jobs with DDL statements"}
}
