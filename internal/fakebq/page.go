package fakebq

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
)

// cursor is a position in a result: the next row, the number of the page, and whether the empty
// page before it was sent.
type cursor struct {
	row, page, skipped int
}

// tokenBytes makes page tokens some 600 characters long, as the service's are.
const tokenBytes = 450

// token returns a cursor as text that is valid for its job only.
func (c cursor) token(j *job) string {
	text := fmt.Sprintf("%s %d %d %d", j.id, c.row, c.page, c.skipped)
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%-*s", tokenBytes, text))
}

// parseToken parses a page token of the job.
func parseToken(j *job, token string) (cursor, *Error) {
	var c cursor
	var id string
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%s %d %d %d", &id, &c.row, &c.page, &c.skipped)
	}
	if err != nil || id != j.id || c.row < 0 || c.row > j.total() {
		return c, &Error{Reason: "invalid", Location: "pageToken", Message: "Invalid value for pageToken"}
	}
	return c, nil
}

// total returns the number of rows of the result.
func (j *job) total() int {
	if j.table == nil {
		return 0
	}
	return j.table.rows * max(j.answer.Repeat, 1)
}

// page returns the page of the result at c. limit is the client's maxResults, negative for none.
// next is "" after the last page.
func (j *job) page(c cursor, limit int, format timestampFormat) (page *rows, next string, apiErr *Error) {
	if j.table == nil {
		return nil, "", nil
	}
	r, err := j.table.render(format)
	if err != nil {
		return nil, "", &Error{Reason: "invalid", Message: err.Error()}
	}
	if c.row >= j.total() {
		return nil, "", nil
	}
	if limit == 0 {
		return nil, c.token(j), nil
	}
	if c.skipped == 0 && slices.Contains(j.answer.EmptyPages, c.page) {
		c.skipped = 1
		return nil, c.token(j), nil
	}
	last := j.total()
	for _, size := range []int{limit, j.answer.PageSize} {
		if size > 0 {
			last = min(last, c.row+size)
		}
	}
	to := r.end(c.row, last, cmp.Or(j.answer.PageBytes, maxPageBytes))
	after := cursor{row: to, page: c.page + 1}
	if after.row < j.total() {
		next = after.token(j)
	}
	return &rows{r, c.row, to}, next, nil
}
