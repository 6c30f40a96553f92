package sandbox

import (
	"context"
	"net"
	"net/http"
	"path"
	"regexp"
	"runtime/debug"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/storageapi"
)

// maxMessage is the size of the largest message that the Storage APIs take: 10 MB of rows and what is around them.
const maxMessage = 11 << 20

// serveStorage serves the Storage Read and Write APIs on a listener.
func (s *Server) serveStorage(l net.Listener) {
	opts := []grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage), grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (
			_ any, err error) {
			ctx, done, err := s.enterStorage(ctx, info.FullMethod)
			if err != nil {
				return nil, err
			}
			defer done()
			defer s.recovered(info.FullMethod, &err)
			return handle(ctx, req)
		}),
		grpc.StreamInterceptor(func(_ any, stream grpc.ServerStream, info *grpc.StreamServerInfo,
			handle grpc.StreamHandler) (err error) {
			ctx, done, err := s.enterStorage(stream.Context(), info.FullMethod)
			if err != nil {
				return err
			}
			defer done()
			defer s.recovered(info.FullMethod, &err)
			return handle(s.storage, authenticated{stream, ctx})
		}),
	}
	if s.cfg.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(s.cfg.TLS.Clone())))
	}
	s.grpc = grpc.NewServer(opts...)
	s.storage = storageapi.New(backend{s}, s.now, s.cfg.ResultBytes)
	s.storage.Register(s.grpc)
	s.work.Go(func() {
		if err := s.grpc.Serve(l); err != nil {
			s.log.Error("the sandbox's Storage APIs do not listen any more", "error", err)
		}
	})
}

// recovered makes a panic the error of its call.
func (s *Server) recovered(method string, err *error) {
	if p := recover(); p != nil {
		s.log.Error("the sandbox panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
		*err = status.Errorf(codes.Internal,
			"The sandbox has failed, which is a defect of its own: it panicked in %s: %v",
			method, p)
	}
}

// authenticated is a stream whose context knows the user.
type authenticated struct {
	grpc.ServerStream
	ctx context.Context
}

func (a authenticated) Context() context.Context { return a.ctx }

type callerKey struct{}

// enterStorage counts a call of the Storage APIs and finds its user.
func (s *Server) enterStorage(ctx context.Context, method string) (context.Context, func(), error) {
	name := path.Base(method)
	s.count("bigquerystorage." + name)
	need := reads
	if strings.Contains(method, "BigQueryWrite/") {
		need = writes
	}
	md, _ := metadata.FromIncomingContext(ctx)
	r := &http.Request{Header: http.Header{}, Host: strings.Join(md.Get(":authority"), "")}
	for _, key := range []string{"authorization", "x-goog-user-project", "origin"} {
		for _, v := range md.Get(key) {
			r.Header.Add(key, v)
		}
	}
	who, err := s.authenticate(r, need)
	if err != nil {
		return nil, nil, grpcError(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel) // the sandbox closes
	return storageapi.WithUser(context.WithValue(ctx, callerKey{}, who), who.Email),
		func() { stop(); cancel() }, nil
}

// grpcError is an error as gRPC has it.
func grpcError(e *apierror.Error) error {
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(`"` + e.StatusName() + `"`)); err != nil {
		code = codes.Internal
	}
	return status.Error(code, e.Message)
}

// backend is what the Storage APIs see of the sandbox.
type backend struct{ s *Server }

func callerOf(ctx context.Context) jobs.Caller {
	who, _ := ctx.Value(callerKey{}).(jobs.Caller)
	return who
}

// Read implements storageapi.Backend.
func (b backend) Read(ctx context.Context, project string, name googlesql.TableName, names []string, where string) (
	storageapi.Rows, error) {
	rows, err := b.s.readTable(ctx, callerOf(ctx), project, name, names, where)
	if err != nil {
		return rows, grpcError(err)
	}
	return rows, nil
}

// Table implements storageapi.Backend.
func (b backend) Table(ctx context.Context, name googlesql.TableName) (storageapi.Table, error) {
	d, t, err := b.s.jobs.Writable(callerOf(ctx), name)
	if err != nil {
		return storageapi.Table{}, grpcError(err)
	}
	return storageapi.Table{Columns: t.Columns, Location: d.Location}, nil
}

// Append implements storageapi.Backend.
func (b backend) Append(ctx context.Context, name googlesql.TableName, columns []googlesql.Column,
	rows [][]engine.Value) error {
	_, t, err := b.s.jobs.Writable(callerOf(ctx), name)
	if err == nil {
		err = b.s.jobs.AppendRows(ctx, t, columns, rows)
	}
	if err != nil {
		return grpcError(err)
	}
	return nil
}

var (
	literals = regexp.MustCompile(`'(\\.|[^'\\])*'|"(\\.|[^"\\])*"`)
	subquery = regexp.MustCompile(`(?i)\bSELECT\b|;`)
)

// readTable reads a table, or the result of a query by the name of its anonymous table.
func (s *Server) readTable(ctx context.Context, who jobs.Caller, project string, name googlesql.TableName,
	names []string, where string) (storageapi.Rows, *apierror.Error) {
	if err := s.jobs.CheckJobs(who, project, "bigquery.readsessions.create"); err != nil {
		return storageapi.Rows{}, err
	}
	switch result, err := s.jobs.ResultNamed(who, name); {
	case err != nil:
		return storageapi.Rows{}, err
	case result != nil:
		return readResult(result, names, where)
	}
	if !s.jobs.MayRead(who, name.Project) {
		return storageapi.Rows{}, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission "+
			"bigquery.tables.getData denied on table %[1]s (or it may not exist).", name)
	}
	d, t := s.catalog.Dataset(name.Project, name.Dataset), s.catalog.Table(name)
	switch {
	case t == nil:
		return storageapi.Rows{}, apierror.NotFound("Table", name.String(), "")
	case t.View != nil:
		return storageapi.Rows{}, apierror.Errorf("invalid", "Cannot read non-table entities: %s is a %s", name,
			t.ViewKind())
	}
	columns, err := selected(t.Columns, strings.Join(names, ","))
	if err != nil {
		return storageapi.Rows{}, err
	}
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = googlesql.QuoteName(c.Name)
	}
	sql := "SELECT " + strings.Join(quoted, ", ") + " FROM " +
		googlesql.QuoteName(name.Project+"."+name.Dataset+"."+name.Table)
	if where != "" {
		if subquery.MatchString(literals.ReplaceAllString(where, "''")) {
			return storageapi.Rows{}, apierror.Errorf("invalid", "The row_restriction %q is not an expression over "+
				"the columns of %s", where, name)
		}
		sql += " WHERE (\n" + where + "\n)"
	}
	result, bytes, err := s.jobs.Read(ctx, who, project, d.Location, sql)
	if err != nil {
		return storageapi.Rows{}, err
	}
	return storageapi.Rows{Result: result, Columns: columns, Location: d.Location, Bytes: bytes}, nil
}
