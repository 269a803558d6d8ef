package studies

import "math"

// A drawing gives the grey value at a point; both coordinates run from -1, the
// left and upper edges, to 1.
type drawing func(u, v float64) uint16

// phantom returns the drawing of one image: enough of a body that a person at
// a viewer sees what it is meant to be, and scrolls through it.
func phantom(modality string, series Series, number int) drawing {
	along := float64(number) / float64(series.Images+1) // Through the body, from 0 to 1.
	switch modality {
	case "CT":
		return chest(along)
	case "MR":
		return brain(along)
	}
	return film(series.Description == "LATERAL")
}

// inside reports whether a point lies in the ellipse around (cu, cv).
func inside(u, v, cu, cv, ru, rv float64) bool {
	du, dv := (u-cu)/ru, (v-cv)/rv
	return du*du+dv*dv < 1
}

// chest draws a slice in Hounsfield units plus 1024.
func chest(along float64) drawing {
	lung := 0.15 + 0.2*math.Sin(math.Pi*along) // Widest half way.
	heart := 0.25 * math.Sin(math.Pi*math.Min(1, along*1.4))
	return func(u, v float64) uint16 {
		switch {
		case inside(u, v, 0, 0.45, 0.1, 0.12):
			return 1024 + 700 // Spine.
		case inside(u, v, 0.08, -0.12, heart, heart*0.9):
			return 1024 + 45
		case inside(u, v, -0.38, 0, lung, lung*1.5), inside(u, v, 0.38, 0, lung, lung*1.5):
			return 1024 - 850
		case inside(u, v, 0, 0, 0.82, 0.62):
			return 1024 + 40
		case inside(u, v, 0, 0, 0.88, 0.68):
			return 1024 - 90 // Fat.
		}
		return 0
	}
}

func brain(along float64) drawing {
	size := math.Sqrt(math.Max(0.05, math.Sin(math.Pi*along)))
	return func(u, v float64) uint16 {
		u, v = u/size, v/size
		switch {
		case inside(u, v, -0.12, -0.05, 0.07, 0.28), inside(u, v, 0.12, -0.05, 0.07, 0.28):
			return 1300 // Ventricles, bright on T2.
		case inside(u, v, 0, 0, 0.6, 0.72):
			return 600 + uint16(80*(1+math.Sin(18*math.Atan2(v, u)+9*math.Hypot(u, v))))
		case inside(u, v, 0, 0, 0.68, 0.8):
			return 60 // Skull.
		case inside(u, v, 0, 0, 0.75, 0.87):
			return 950 // Scalp.
		}
		return 0
	}
}

func film(lateral bool) drawing {
	return func(u, v float64) uint16 {
		ribs := 150 * (1 + math.Sin(22*v+6*u*u))
		switch {
		case lateral && inside(u, v, 0.45, 0, 0.12, 1):
			return 2300 // Spine.
		case lateral && inside(u, v, 0, -0.1, 0.5, 0.7):
			return 500 + uint16(ribs)
		case lateral:
			return 1500
		case inside(u, v, 0.1, 0.25, 0.28, 0.35):
			return 2100 // Heart.
		case math.Abs(u) < 0.09:
			return 2300
		case inside(u, v, -0.4, -0.05, 0.28, 0.65), inside(u, v, 0.4, -0.05, 0.28, 0.65):
			return 500 + uint16(ribs)
		case v > 0.5 || math.Abs(u) < 0.85:
			return 1700
		}
		return 100
	}
}
