// Package fakecert has the certificate under which fakes serve TLS on loopback,
// and lets tests trust it.
package fakecert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// authority signs the certificates of one process. It is made at the first use and never written to disk, but for
// the moment that [Trust] needs.
type authority struct {
	root   *x509.Certificate
	server tls.Certificate
}

var made = sync.OnceValues(func() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "a fake service on loopback"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{root, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: root}}, nil
})

// must returns the authority. Making one fails only where the system has no randomness.
func must() *authority {
	a, err := made()
	if err != nil {
		panic(fmt.Sprintf("fakecert: %v", err))
	}
	return a
}

// Server returns the configuration of a server on 127.0.0.1, ::1 or localhost that offers these protocols by ALPN.
func Server(protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{must().server},
		NextProtos: protocols}
}

// Client returns the configuration of a client that trusts such servers alone.
func Client() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: Pool()} }

// Pool returns a pool with the certificate.
func Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(must().root)
	return pool
}

// PEM returns the certificate as the text of a file, for SSL_CERT_FILE of another process.
func PEM() []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: must().root.Raw}) }

// Trust makes the certificate the only system root of this process, for clients that can't be given a [tls.Config].
// Call it in TestMain: the roots are read once. It works where Go reads them from SSL_CERT_FILE, which excludes
// macOS and Windows; there it is an error.
func Trust() error {
	dir, err := os.MkdirTemp("", "fakecert")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "root.pem")
	if err := os.WriteFile(file, PEM(), 0o600); err != nil {
		return err
	}
	if err := os.Setenv("SSL_CERT_FILE", file); err != nil {
		return err
	}
	defer os.Unsetenv("SSL_CERT_FILE")
	if _, err := x509.SystemCertPool(); err != nil { // reads the file now
		return err
	}
	_, err = must().root.Verify(x509.VerifyOptions{DNSName: "localhost"})
	return err
}
