package googlesql

import "strings"

// sessionDataset is the name of the dataset of temporary tables in a statement.
const sessionDataset = "_SESSION"

func isSession(n name) bool { return strings.EqualFold(n.text, sessionDataset) }

// tempName returns the full name of the temporary table that a path of one part, or of
// _SESSION and one more, names.
func (a *analyzer) tempName(path []name, x interface{ pos() int }) TableName {
	temp := a.opts.Temp
	if temp == nil {
		a.fail(x, "The dataset %s can only be used in a script or session", sessionDataset)
	}
	return TableName{temp.Project, temp.Dataset, path[len(path)-1].text}
}

// createName returns the full name of a table to create. Without TEMP, a name without
// a dataset is in the default dataset, even if there is a temporary table with the
// name.
func (a *analyzer) createName(c *createTable) TableName {
	qualified := len(c.path) > 1
	switch {
	case !c.temp && qualified && isSession(c.path[0]):
		a.fail(c, "CREATE TABLE can't make a table in %s; use CREATE TEMP TABLE", sessionDataset)
	case !c.temp:
		temp := a.opts.Temp
		defer func() { a.opts.Temp = temp }()
		a.opts.Temp = nil
		return a.tableName(c.path, c)
	case a.opts.Temp == nil:
		a.fail(c, "Use of CREATE TEMPORARY TABLE requires a script or session")
	case len(c.path) > 2, qualified && !isSession(c.path[0]):
		a.fail(c, "CREATE TEMPORARY TABLE cannot have a qualified name: %s", joinNames(c.path))
	}
	return a.tempName(c.path, c)
}
