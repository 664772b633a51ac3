package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// check says what must hold of a result that differs from run to run. The
// same checks exist on the side of the engine under test.
type check struct {
	// regex: Pattern (POSIX extended) matches.
	// bcrypt: behind Prefix comes a bcrypt hash of Password.
	// key: a PEM block of type PEM with a key of Bits bits (RSA).
	// cert: a certificate followed by its key.
	// epoch: seconds since the epoch, at most a minute away from now.
	// differs: a second rendering gives something else.
	Kind     string   `json:"kind"`
	Pattern  string   `json:"pattern,omitempty"`
	Prefix   string   `json:"prefix,omitempty"`
	Password string   `json:"password,omitempty"`
	PEM      string   `json:"pem,omitempty"`
	Bits     int      `json:"bits,omitempty"`
	CN       string   `json:"cn,omitempty"`
	Days     int      `json:"days,omitempty"`
	CA       bool     `json:"ca,omitempty"`
	DNS      []string `json:"dns,omitempty"`
	IPs      []string `json:"ips,omitempty"`
	Issuer   string   `json:"issuer,omitempty"`
	// The third PEM block is the certificate of the issuer.
	Signed bool `json:"signed,omitempty"`
}

func (k *check) verify(c *testcase, out map[string]string) error {
	for name, text := range out {
		if err := k.verifyOne(text); err != nil {
			return fmt.Errorf("%s: %q: %w", c.Name, text, err)
		}
		if k.Kind != "differs" {
			continue
		}
		if again, _ := render(c.Templates, c.values()); again[name] == text {
			return fmt.Errorf("%s: the same twice: %q", c.Name, text)
		}
	}
	return nil
}

func (k *check) verifyOne(text string) error {
	switch k.Kind {
	case "regex":
		re, err := regexp.CompilePOSIX(k.Pattern)
		if err == nil && !re.MatchString(text) {
			err = fmt.Errorf("does not match %s", k.Pattern)
		}
		return err
	case "bcrypt":
		hash, ok := strings.CutPrefix(text, k.Prefix)
		if !ok {
			return fmt.Errorf("no %q in front", k.Prefix)
		}
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(k.Password))
	case "key":
		_, err := k.key(text)
		return err
	case "cert":
		return k.cert(text)
	case "epoch":
		sec, err := strconv.ParseInt(text, 10, 64)
		if d := time.Now().Unix() - sec; err == nil && (d < -60 || d > 60) {
			err = fmt.Errorf("%d seconds off", d)
		}
		return err
	case "differs":
		return nil
	}
	return fmt.Errorf("unknown check %q", k.Kind)
}

func (k *check) key(text string) (crypto.Signer, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(rest) > 0 || block.Type != k.PEM {
		return nil, fmt.Errorf("not one block of %s", k.PEM)
	}
	var key any
	var err error
	switch k.PEM {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, err
	}
	if r, ok := key.(*rsa.PrivateKey); ok && r.N.BitLen() != k.Bits {
		return nil, fmt.Errorf("%d bits", r.N.BitLen())
	}
	return key.(crypto.Signer), nil
}

func (k *check) cert(text string) error {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return fmt.Errorf("no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	keyText, caText := string(rest), ""
	if k.Signed {
		at := strings.Index(keyText, "-----BEGIN CERTIFICATE")
		if at < 0 {
			return fmt.Errorf("no certificate of the issuer")
		}
		keyText, caText = keyText[:at], keyText[at:]
	}
	key, err := k.key(keyText)
	if err != nil {
		return err
	}
	if err := k.fields(cert, key); err != nil {
		return err
	}
	issuer := cert
	if k.Signed {
		block, _ := pem.Decode([]byte(caText))
		if issuer, err = x509.ParseCertificate(block.Bytes); err != nil {
			return err
		}
	}
	return issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
}

func (k *check) fields(cert *x509.Certificate, key crypto.Signer) error {
	type equal interface{ Equal(crypto.PublicKey) bool }
	var ips []string
	for _, ip := range cert.IPAddresses {
		ips = append(ips, ip.String())
	}
	issuer := k.Issuer
	if issuer == "" {
		issuer = k.CN
	}
	usage := x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	if k.CA {
		usage |= x509.KeyUsageCertSign
	}
	algorithm := x509.SHA256WithRSA
	switch key.(type) {
	case *ecdsa.PrivateKey:
		algorithm = x509.ECDSAWithSHA256
	case ed25519.PrivateKey:
		algorithm = x509.PureEd25519
	}
	switch {
	case !key.Public().(equal).Equal(cert.PublicKey):
		return fmt.Errorf("not its key")
	case cert.Subject.String() != "CN="+k.CN || cert.Issuer.String() != "CN="+issuer:
		return fmt.Errorf("names %s, %s", cert.Subject, cert.Issuer)
	case cert.NotAfter.Sub(cert.NotBefore) != time.Duration(k.Days)*24*time.Hour:
		return fmt.Errorf("valid for %v", cert.NotAfter.Sub(cert.NotBefore))
	case time.Since(cert.NotBefore).Abs() > time.Minute:
		return fmt.Errorf("valid from %v", cert.NotBefore)
	case !cert.BasicConstraintsValid || cert.IsCA != k.CA || cert.MaxPathLen != -1:
		return fmt.Errorf("basic constraints %v %d", cert.IsCA, cert.MaxPathLen)
	case cert.KeyUsage != usage:
		return fmt.Errorf("key usage %b", cert.KeyUsage)
	case !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}):
		return fmt.Errorf("extended key usage %v", cert.ExtKeyUsage)
	case !slices.Equal(cert.DNSNames, k.DNS) || !slices.Equal(ips, k.IPs):
		return fmt.Errorf("alternative names %v %v", cert.DNSNames, ips)
	case k.CA != (len(cert.SubjectKeyId) == 20) || (issuer != k.CN) != (len(cert.AuthorityKeyId) == 20):
		return fmt.Errorf("key identifiers %x %x", cert.SubjectKeyId, cert.AuthorityKeyId)
	case cert.SignatureAlgorithm != algorithm && !k.Signed:
		return fmt.Errorf("signed by %v", cert.SignatureAlgorithm)
	}
	return nil
}
