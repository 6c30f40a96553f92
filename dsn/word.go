package dsn

// Values of [Config.Auth].
const (
	AuthUser = "user" // the user who signs in; the default
	AuthADC  = "adc"  // the application-default credentials
	AuthNone = "none" // no credentials, for an endpoint without sign-in
)

// Values of [Config.Login].
const (
	LoginAuto    = "auto" // the default
	LoginBrowser = "browser"
	LoginManual  = "manual"
	LoginNever   = "never"
)

// Values of [Config.TokenStore].
const (
	TokenStoreFile    = "file"    // the default
	TokenStoreKeyring = "keyring" // the platform's secure storage
	TokenStoreMemory  = "memory"  // until the program ends
)

// Values of [Config.CreateSession].
const (
	CreateSessionAuto   = "auto"   // a session for transactions; the default
	CreateSessionAlways = "always" // a session for every statement
)

// Values of [Config.Priority].
const (
	PriorityInteractive = "interactive" // the default
	PriorityBatch       = "batch"       // when there are idle resources
)

// Values of [Config.JobCreation].
const (
	JobCreationRequired = "required" // the default
	JobCreationOptional = "optional" // a short query may have no job
)

// Values of [Config.WriteDisposition].
const (
	WriteEmpty        = "empty"         // the table must have no rows; the default
	WriteAppend       = "append"        // its rows stay
	WriteTruncate     = "truncate"      // the table is replaced
	WriteTruncateData = "truncate_data" // its rows are replaced, its columns stay
)

// Values of [Config.CreateDisposition].
const (
	CreateIfNeeded = "if_needed" // the default
	CreateNever    = "never"
)

// Values of [Config.ReadAPI].
const (
	ReadAPIAuto    = "auto" // by the size of the result; the default
	ReadAPIREST    = "rest"
	ReadAPIStorage = "storage" // the Storage Read API
)
