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

// getui is the plain SHA-256 of the app's key, the timestamp in milliseconds and the master secret.
// https://docs.getui.com/getui/server/rest_v2/token
func getui(p Params, m Moment) map[string]string {
	ts := strconv.FormatInt(m.Now.UnixMilli(), 10)
	return map[string]string{"timestamp": ts, "sign": hexSum([]byte(p["id"] + ts + p["key"]))}
}
