package builtin

import "math"

// bucket returns the lower bound of the bucket of a civil time; width is an INTERVAL of one
// part.
func bucket(name string, at, origin int64, width Value) (int64, error) {
	parts := 0
	for _, n := range []int64{int64(width.Months), int64(width.Days), width.Int} {
		if n != 0 {
			parts++
		}
		if n < 0 {
			return 0, failf("%s doesn't support negative bucket width INTERVAL", name)
		}
	}
	switch {
	case parts == 0:
		return 0, failf("%s doesn't support zero bucket width INTERVAL", name)
	case parts > 1:
		return 0, failf("%s doesn't support bucket width INTERVAL with mixed MONTH, DAY and time parts", name)
	case width.Months == 0:
		size := int64(width.Days)*dayMicros + width.Int
		return origin + floorDiv(at-origin, size)*size, nil
	}
	months := int64(width.Months)
	guess := floorDiv(diffCivil(at, origin, "MONTH"), months)
	for n := guess + 1; ; n-- {
		day, ok := addMonths(floorDiv(origin, dayMicros), n*months)
		lower := day*dayMicros + floorMod(origin, dayMicros)
		if ok && lower <= at {
			return lower, nil
		}
		if n < guess-2 {
			return math.MinInt64 / 2, nil
		}
	}
}

func init() {
	for kind, scale := range map[string]int64{"DATE": dayMicros, "DATETIME": 1, "TIMESTAMP": 1} {
		name := kind + "_BUCKET"
		def("bq_bucket_"+lowerASCII(kind), kind+", INTERVAL, "+kind+" -> "+kind, func(a []Value) (Value, error) {
			switch {
			case kind == "DATE" && a[1].Int != 0:
				return null, failf("%s only supports bucket width INTERVAL with MONTH and DAY parts", name)
			case kind == "TIMESTAMP" && a[1].Months != 0:
				return null, failf("%s doesn't support bucket width INTERVAL with MONTH and YEAR parts", name)
			}
			n, err := bucket(name, a[0].Int*scale, a[2].Int*scale, a[1])
			if err == nil && (n < minMicros || n > maxMicros) {
				err = failf("Bucket for %s is outside of %s range", DateText(floorDiv(a[0].Int*scale, dayMicros)), kind)
			}
			return either(integer(floorDiv(n, scale)), err)
		})
	}
}
