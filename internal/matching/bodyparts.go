package matching

import (
	"slices"
	"strings"
)

// compareBodyPart holds the body part asked for, w, against that of a study:
// it agrees if every part and side asked for is there, and contradicts if none
// of the parts is, or the other side is. Words it does not know say nothing.
func compareBodyPart(w, s bodyPart) verdict {
	if len(w.parts) == 0 || len(s.parts) == 0 {
		return silent
	}
	same, near := 0, 0
	for _, p := range w.parts {
		switch {
		case slices.Contains(s.parts, p):
			same++
		case slices.ContainsFunc(s.parts, func(q string) bool { return within(p, q) || within(q, p) }):
			near++
		}
	}
	switch side := compareSide(w.sides, s.sides); {
	case same+near == 0, side == against:
		return against
	case same < len(w.parts), side == silent && w.sides != neither:
		return silent
	}
	return agrees
}

// sides says which sides of a body are named.
type sides int

const (
	neither sides = 0
	left    sides = 1
	right   sides = 2
	both    sides = left | right
)

func compareSide(wanted, found sides) verdict {
	switch {
	case wanted == neither, found == neither:
		return silent
	case wanted&found == 0:
		return against
	case wanted&found == wanted:
		return agrees
	}
	return silent // Both asked for, and one is there.
}

// A bodyPart is what words say about where in the body.
type bodyPart struct {
	parts []string
	sides sides
}

// readBodyPart finds the longest known phrases in a text, from the left.
func readBodyPart(text string) bodyPart {
	var b bodyPart
	words := fold(text)
	for i := 0; i < len(words); {
		n := min(len(words)-i, longestPhrase)
		for ; n > 0; n-- {
			phrase := strings.Join(words[i:i+n], " ")
			if side, ok := sideWords[phrase]; ok {
				b.sides |= side
				break
			}
			if parts, ok := partWords[phrase]; ok {
				for p := range strings.FieldsSeq(parts) {
					if !slices.Contains(b.parts, p) {
						b.parts = append(b.parts, p)
					}
				}
				break
			}
		}
		i += max(n, 1)
	}
	return b
}

// within reports whether part lies in whole, so that neither contradicts the
// other, and neither can stand for the other.
func within(part, whole string) bool {
	for p := part; p != ""; p = wholes[p] {
		if p == whole || whole == "body" {
			return true
		}
	}
	return false
}

// wholes says in what larger part a part lies.
var wholes = map[string]string{
	"sinuses": "head", "face": "head", "orbits": "head", "jaw": "head", "ears": "head", "pituitary": "head",
	"thyroid": "neck", "carotids": "neck",
	"heart": "chest", "ribs": "chest", "sternum": "chest", "esophagus": "chest", "aorta": "chest",
	"liver": "abdomen", "gallbladder": "abdomen", "kidneys": "abdomen", "pancreas": "abdomen", "spleen": "abdomen", "bowel": "abdomen",
	"bladder": "pelvis", "uterus": "pelvis", "prostate": "pelvis", "sacrum": "pelvis",
	"cervical": "spine", "thoracic": "spine", "lumbar": "spine",
	"shoulder": "arm", "humerus": "arm", "elbow": "arm", "forearm": "arm", "wrist": "arm", "hand": "arm", "finger": "hand", "clavicle": "shoulder",
	"femur": "leg", "knee": "leg", "shin": "leg", "ankle": "leg", "foot": "leg", "toe": "foot", "heel": "foot",
}

const longestPhrase = 5

// sideWords are the words for sides, folded. RT and LT are how technologists
// write them.
var sideWords = map[string]sides{
	"left": left, "lt": left, "lft": left, "l": left, "izquierdo": left, "izquierda": left,
	"right": right, "rt": right, "rgt": right, "r": right, "derecho": right, "derecha": right,
	"bilateral": both, "bilat": both, "bil": both, "b l": both, "both": both, "ambos": both, "ambas": both,
}

// partWords are the words for parts of the body, folded, in English, Spanish and
// the shorthand of study descriptions, with the parts they stand for.
var partWords = map[string]string{
	"head": "head", "brain": "head", "skull": "head", "cranium": "head", "cerebro": "head", "cabeza": "head", "craneo": "head",
	"sinus": "sinuses", "sinuses": "sinuses", "senos paranasales": "sinuses", "face": "face", "facial": "face", "facial bones": "face",
	"orbit": "orbits", "orbits": "orbits", "mandible": "jaw", "jaw": "jaw", "tmj": "jaw",
	"temporal bones": "ears", "iac": "ears", "pituitary": "pituitary", "sella": "pituitary",
	"neck": "neck", "cuello": "neck", "soft tissue neck": "neck", "thyroid": "thyroid", "tiroides": "thyroid", "carotid": "carotids", "carotids": "carotids",
	"chest": "chest", "thorax": "chest", "torax": "chest", "lung": "chest", "lungs": "chest", "pulmon": "chest", "pulmones": "chest", "pecho": "chest",
	"heart": "heart", "cardiac": "heart", "corazon": "heart", "coronary": "heart", "echocardiogram": "heart",
	"rib": "ribs", "ribs": "ribs", "costillas": "ribs", "sternum": "sternum", "esophagus": "esophagus", "esofago": "esophagus", "aorta": "aorta",
	"breast": "breast", "breasts": "breast", "mama": "breast", "mamas": "breast", "seno": "breast", "mammogram": "breast", "mammo": "breast", "mamografia": "breast",
	"abdomen": "abdomen", "abd": "abdomen", "abdominal": "abdomen", "belly": "abdomen", "kub": "abdomen", "vientre": "abdomen",
	"pelvis": "pelvis", "pelvic": "pelvis", "pelv": "pelvis", "pel": "pelvis",
	"abdpelv": "abdomen pelvis", "abdpel": "abdomen pelvis", "abdomenpelvis": "abdomen pelvis", "cap": "chest abdomen pelvis", "chestabdpelv": "chest abdomen pelvis",
	"liver": "liver", "hepatic": "liver", "higado": "liver", "gallbladder": "gallbladder", "vesicula": "gallbladder", "hida": "gallbladder",
	"kidney": "kidneys", "kidneys": "kidneys", "renal": "kidneys", "rinon": "kidneys", "rinones": "kidneys", "pancreas": "pancreas", "mrcp": "pancreas",
	"spleen": "spleen", "bowel": "bowel", "colon": "bowel", "enterography": "bowel",
	"bladder": "bladder", "uterus": "uterus", "obstetric": "uterus", "ob": "uterus", "prostate": "prostate", "prostata": "prostate",
	"spine": "spine", "columna": "spine", "whole spine": "cervical thoracic lumbar", "full spine": "cervical thoracic lumbar", "scoliosis": "cervical thoracic lumbar",
	"cervical": "cervical", "c spine": "cervical", "cspine": "cervical", "cervical spine": "cervical", "columna cervical": "cervical",
	"thoracic spine": "thoracic", "t spine": "thoracic", "tspine": "thoracic", "dorsal spine": "thoracic", "columna dorsal": "thoracic", "columna toracica": "thoracic",
	"lumbar": "lumbar", "l spine": "lumbar", "lspine": "lumbar", "lumbar spine": "lumbar", "columna lumbar": "lumbar",
	"lumbosacral": "lumbar", "ls spine": "lumbar", "lsspine": "lumbar", "lumbosacral spine": "lumbar", "lower back": "lumbar",
	"sacrum": "sacrum", "coccyx": "sacrum", "sacroiliac": "sacrum", "si joints": "sacrum",
	"hip": "hip", "hips": "hip", "cadera": "hip", "caderas": "hip",
	"arm": "arm", "upper extremity": "arm", "brazo": "arm", "shoulder": "shoulder", "shoulders": "shoulder", "hombro": "shoulder", "clavicle": "clavicle", "collarbone": "clavicle", "clavicula": "clavicle",
	"humerus": "humerus", "upper arm": "humerus", "elbow": "elbow", "codo": "elbow", "forearm": "forearm", "radius": "forearm", "ulna": "forearm", "antebrazo": "forearm",
	"wrist": "wrist", "wrists": "wrist", "muneca": "wrist", "scaphoid": "wrist", "hand": "hand", "hands": "hand", "mano": "hand", "manos": "hand", "finger": "finger", "fingers": "finger", "thumb": "finger",
	"leg": "leg", "lower extremity": "leg", "pierna": "leg", "femur": "femur", "thigh": "femur", "muslo": "femur",
	"knee": "knee", "knees": "knee", "rodilla": "knee", "rodillas": "knee", "patella": "knee",
	"tibia": "shin", "fibula": "shin", "tib fib": "shin", "tibia fibula": "shin", "shin": "shin", "lower leg": "shin",
	"ankle": "ankle", "ankles": "ankle", "tobillo": "ankle", "foot": "foot", "feet": "foot", "pie": "foot", "pies": "foot", "toe": "toe", "toes": "toe", "heel": "heel", "calcaneus": "heel",
	"whole body": "body", "wholebody": "body", "cuerpo entero": "body", "skull base to mid thigh": "body", "skull to thigh": "body",
}
