package fakebq

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
)

// officialReader is the official client, reading through the Storage Read API.
func officialReader(t *testing.T, s *Server, storage bool) *bigquery.Client {
	t.Helper()
	client, err := bigquery.NewClient(t.Context(), "my-project", option.WithEndpoint(s.URL()+"/bigquery/v2/"),
		option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if storage {
		u, err := url.Parse(s.StorageURL())
		if err != nil {
			t.Fatal(err)
		}
		if err := client.EnableStorageReadClient(t.Context(), option.WithEndpoint(u.Host),
			option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials()))); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

func officialRows(t *testing.T, client *bigquery.Client, sql string) ([]string, error) {
	t.Helper()
	it, err := client.Query(sql).Read(t.Context())
	if err != nil {
		return nil, err
	}
	var all []string
	for {
		var row []bigquery.Value
		err := it.Next(&row)
		if errors.Is(err, iterator.Done) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, fmt.Sprint(row))
	}
}

// TestStorage: the official client reads the same rows through the Storage Read API as over REST.
func TestStorage(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	at := time.Date(2024, 2, 29, 12, 34, 56, 789012000, time.UTC)
	fields := []Field{
		{Name: "i", Type: "INTEGER"}, {Name: "f", Type: "FLOAT"}, {Name: "b", Type: "BOOLEAN"},
		{Name: "s", Type: "STRING", Mode: "REQUIRED"}, {Name: "y", Type: "BYTES"},
		{Name: "n", Type: "NUMERIC"}, {Name: "bn", Type: "BIGNUMERIC"}, {Name: "ts", Type: "TIMESTAMP"},
		{Name: "dt", Type: "DATETIME"}, {Name: "d", Type: "DATE"},
		{Name: "t", Type: "TIME"}, {Name: "g", Type: "GEOGRAPHY"}, {Name: "j", Type: "JSON"},
		{Name: "l", Type: "INTEGER", Mode: "REPEATED"}, {Name: "r", Type: "RECORD",
			Fields: []Field{{Name: "a", Type: "INTEGER"}, {Name: "b", Type: "STRING"}}},
	}
	s.On("SELECT all", Answer{Fields: fields, PageSize: 1, BatchRows: 2, Rows: [][]any{
		{1, 1.5, true, "a", []byte("x"), "1.5", "-2.25", at, at, at, at, "POINT(1 2)", `{"a":1}`, []any{1, 2},
			[]any{7, "q"}},
		{nil, nil, nil, "", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
		{-9223372036854775808, -0.5, false, "é😀", []byte{}, "-99999999999999999999999999999.999999999",
			"578960446186580977117854925043439539266.34992332820282019728792003956564819967", at.AddDate(-2023, 0, 0),
			at.AddDate(7975, 0, 0), at, at, "POINT(3 4)", `null`, []any{}, []any{nil, nil}},
	}})
	got, err := officialRows(t, officialReader(t, s, true), "SELECT all")
	if err != nil {
		t.Fatal(err)
	}
	want, err := officialRows(t, officialReader(t, s, false), "SELECT all")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !reflect.DeepEqual(got, want) || len(got) != 3 {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if s.Count(CreateReadSession) != 1 || s.Count(ReadRows) == 0 {
		t.Errorf("got %v; want a session and reads", s.Counts())
	}
	s.WaitStreams(t)
}

// TestStorageRows: each row of a large, repeated result comes once, over several streams.
func TestStorageRows(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	table, err := NewTable([]Field{{Name: "i", Type: "INTEGER"}}, 1000, func(i int) []any { return []any{i} })
	if err != nil {
		t.Fatal(err)
	}
	s.On("SELECT i", Answer{Table: table, Repeat: 3, PageSize: 500, BatchRows: 300})
	rows, err := officialRows(t, officialReader(t, s, true), "SELECT i")
	if err != nil || len(rows) != 3000 {
		t.Fatalf("got %d rows, %v; want 3000", len(rows), err)
	}
	seen := map[string]int{}
	for _, r := range rows {
		seen[r]++
	}
	for i := range 1000 {
		if seen[fmt.Sprintf("[%d]", i)] != 3 {
			t.Fatalf("row %d came %d times; want 3", i, seen[fmt.Sprintf("[%d]", i)])
		}
	}
}

// TestStorageFault: a stream that breaks is resumed by the official client at the row that it had come to.
func TestStorageFault(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	table, err := NewTable([]Field{{Name: "i", Type: "INTEGER"}}, 1000, func(i int) []any { return []any{i} })
	if err != nil {
		t.Fatal(err)
	}
	s.On("SELECT i FROM t ORDER BY i", Answer{Table: table, PageSize: 500, BatchRows: 100})
	s.InjectStream(ReadRows, StreamFault{After: 3, Code: codes.Unavailable, Message: "gone"})
	rows, err := officialRows(t, officialReader(t, s, true), "SELECT i FROM t ORDER BY i")
	if err != nil || len(rows) != 1000 || rows[999] != "[999]" {
		t.Fatalf("got %d rows, %v; want 1000 in order", len(rows), err)
	}
	if got := s.Reads(); len(got) != 2 || got[1].Offset != 300 {
		t.Errorf("got %+v; want a second read at 300", got)
	}
	s.InjectStream(CreateReadSession, StreamFault{Code: codes.PermissionDenied, Message: "no"})
	before := s.Count(GetQueryResults)
	if rows, err := officialRows(t, officialReader(t, s, true), "SELECT i FROM t ORDER BY i"); err != nil ||
		len(rows) != 1000 || s.Count(GetQueryResults) == before {
		t.Errorf("without permission: got %d rows, %v; want 1000, by REST", len(rows), err)
	}
}
