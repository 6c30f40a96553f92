package driver

import (
	"fmt"
	"math/big"

	"cloud.google.com/go/civil"
)

// The texts and scales that cells and arguments share. The official client's texts are not used,
// because it rounds a civil time up to a sixtieth second.

const secondsOfDay = 24 * 60 * 60

const (
	numericPrecision    = 38
	numericScale        = 9
	bigNumericPrecision = 76
	bigNumericScale     = 38
)

// The bounds, times 10^scale: 38 nines either way, and -2^255 to 2^255-1.
var (
	maxNumeric    = new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil), big.NewInt(1))
	minNumeric    = new(big.Int).Neg(maxNumeric)
	minBigNumeric = new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 255))
	maxBigNumeric = new(big.Int).Not(minBigNumeric)
)

// fractionText returns the fraction of a second: "", or a point and six digits.
func fractionText(nanos int) string {
	if nanos < 1000 {
		return ""
	}
	return fmt.Sprintf(".%06d", nanos/1000)
}

func timeText(t civil.Time) string {
	return fmt.Sprintf("%02d:%02d:%02d", t.Hour, t.Minute, t.Second) + fractionText(t.Nanosecond)
}

// datetimeText writes a DATETIME. between is a space in a parameter, and a T where BigQuery prints
// it.
func datetimeText(t civil.DateTime, between string) string {
	return t.Date.String() + between + timeText(t.Time)
}
