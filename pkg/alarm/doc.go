// Package alarm is what is wrong enough for somebody to look: rules over what is counted, by channel. deploy/alarms.yaml
// has the same rules for CloudWatch, where the thresholds are parameters with these values as defaults; a test holds
// the two to the same judgement. Rules about queues and functions are CloudWatch's alone.
package alarm
