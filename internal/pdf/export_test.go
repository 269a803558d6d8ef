package pdf

// ParseTSV is parseTSV, for the fuzz target.
var ParseTSV = parseTSV

// ParseInfo is parseInfo, for the fuzz target.
var ParseInfo = parseInfo
