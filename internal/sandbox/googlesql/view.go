package googlesql

import (
	"slices"
	"strings"
)

// viewName completes the path of a view of INFORMATION_SCHEMA: [project.][dataset or region.]
// INFORMATION_SCHEMA.VIEW. It reports whether the path is one.
func (a *analyzer) viewName(path []name, x interface{ pos() int }) (TableName, bool) {
	at := slices.IndexFunc(path, func(n name) bool {
		return strings.EqualFold(n.text,
			strings.TrimSuffix(InformationSchema, "."))
	})
	if at < 0 {
		return TableName{}, false
	}
	n := TableName{Project: a.opts.DefaultProject}
	if at != len(path)-2 || at > 2 {
		a.fail(x, "Table name %q is not a view of INFORMATION_SCHEMA", joinNames(path))
	}
	view := strings.ToUpper(path[at+1].text)
	n.Table = InformationSchema + view
	switch {
	case at == 2:
		n.Project, n.Dataset = path[0].text, path[1].text
	case at == 1 && ofProject(view) && !isRegion(path[0].text):
		n.Project = path[0].text
	case at == 1:
		n.Dataset = path[0].text
	case !ofProject(view):
		a.fail(x, "Table %q must be qualified with a dataset (e.g. dataset.table).", joinNames(path))
	}
	return n, true
}

// ofProject reports whether a view belongs to a project, and not to a dataset.
func ofProject(view string) bool { return view == "SCHEMATA" || view == "SCHEMATA_OPTIONS" }

func isRegion(s string) bool { return strings.HasPrefix(strings.ToLower(s), "region-") }

// notView fails if a view is used where only a table is allowed.
func (a *analyzer) notView(n TableName, x interface{ pos() int }) {
	if strings.HasPrefix(n.Table, InformationSchema) {
		a.fail(x, "%s is not allowed for this operation because it is currently a VIEW.", n)
	}
}
