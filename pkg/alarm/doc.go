// Package alarm is what is wrong enough for somebody to look: rules over what is counted and measured, of a channel or
// of notify as a whole. deploy/alarms.yaml and deploy/overall.yaml have the same rules for CloudWatch, where the
// thresholds are parameters with these values as defaults; tests hold the two to the same judgement, and name the alarms
// that are CloudWatch's alone.
package alarm
