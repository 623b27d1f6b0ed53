package robot

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/opennotify/notify/pkg/message"
)

// alarm is what CloudWatch writes into a topic when the state of an alarm changes:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
type alarm struct {
	AlarmName, AlarmDescription, NewStateValue, NewStateReason, OldStateValue, StateChangeTime, Region string
}

// maxReason is how many bytes of a reason are told: chats bound a text, WeCom the tightest at 4096.
const maxReason = 600

// news is what is told of a record. What is no alarm, as a budget's mail, is told as it is.
func news(r events.SNSEntity, runbook string) message.Content {
	var a alarm
	if json.Unmarshal([]byte(r.Message), &a) != nil || a.AlarmName == "" || a.NewStateValue == "" {
		return message.Content{Title: cut(r.Subject, maxReason), Text: cut(r.Message, maxReason)}
	}
	sign := map[string]string{"ALARM": "🔴 ALARM 告警", "OK": "🟢 OK 恢复"}[a.NewStateValue]
	if sign == "" {
		sign = "⚪ " + a.NewStateValue
	}
	what, entry, found := strings.Cut(a.AlarmDescription, "docs/runbook.md")
	lines := []string{strings.TrimSpace(what)}
	if a.NewStateValue == "ALARM" && found {
		lines = append(lines, "Runbook 处理手册: "+strings.TrimSuffix(runbook, "/")+"/docs/runbook.md"+entry)
	}
	lines = append(lines, cut(a.NewStateReason, maxReason), fmt.Sprintf("%s → %s, %s, %s", a.OldStateValue, a.NewStateValue, a.StateChangeTime, a.Region))
	return message.Content{Title: sign + " " + a.AlarmName, Text: strings.Join(lines, "\n\n")} // DingTalk wants an empty line to end one
}

// cut shortens a text to so many bytes, at a letter.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
