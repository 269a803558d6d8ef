package faultproxy

// Identify is for the fuzz target.
var Identify = identify
