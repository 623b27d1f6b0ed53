package sign

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// feishuBot: the timestamp and the secret are the key, the message is empty.
// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
func feishuBot(p Params, m Moment) map[string]string {
	if p["key"] == "" {
		return nil
	}
	ts := strconv.FormatInt(m.Now.Unix(), 10)
	sum := mac(sha256.New, []byte(ts+"\n"+p["key"]), "")
	return map[string]string{"timestamp": ts, "sign": base64.StdEncoding.EncodeToString(sum)}
}

// dingTalkRobot: the secret is the key, the timestamp in milliseconds and the secret are the message. The
// sign is not URL-encoded here: the request's query is.
// https://open.dingtalk.com/document/robots/customize-robot-security-settings
func dingTalkRobot(p Params, m Moment) map[string]string {
	if p["key"] == "" {
		return nil
	}
	ts := strconv.FormatInt(m.Now.UnixMilli(), 10)
	sum := mac(sha256.New, []byte(p["key"]), ts+"\n"+p["key"])
	return map[string]string{"timestamp": ts, "sign": base64.StdEncoding.EncodeToString(sum)}
}
