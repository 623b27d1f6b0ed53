package trace

// origins has the verdicts on searches that found nothing, and on where a text came from.
var origins = map[string]phrase{
	"none": {
		Words{"近 {age}内，没有任何业务向这个地址发过消息（只查了您能看到的业务）。", "我们没有查到发给您的消息，请核对号码或地址，然后再操作一次。", "先核对写法；没错的话，请业务方确认有没有发起请求，请求有没有被拒绝。"},
		Words{"In the last {age} nothing was sent to this address by any tenant that you can see.", "We find no message to you. Please check the number or address, then try again.", "Check its spelling first. If it is right, the sending team checks whether it asked for a message at all, and whether that was refused."}},
	"none_refused": {
		Words{"没有发：{tenant} 业务 {ago}请求过，但请求被拒绝了{code}。", "消息没有发出来，我们正在处理，请稍后再操作一次。", "找 {tenant} 的负责人：{owner}，请开发按下面的错误改好请求后再发。"},
		Words{"Nothing was sent: {tenant} asked {ago}, and was refused{code}.", "Your message was not sent. We are looking into it; please try again later.", "Call the owner of {tenant}: {owner}. Their developers mend the request as the faults below say, and send it again."}},
	"none_matching": {
		Words{"近 {age}内，没有符合这些条件的消息（只查了您能看到的业务）。", "我们没有查到这样的消息。", "放宽条件或时间范围再查。"},
		Words{"In the last {age} there is no message that fits, of any tenant that you can see.", "We find no such message.", "Search again with fewer conditions or further back."}},
	"who_exact": {
		Words{"找到了：是 {tenant} 业务发的，发给的正是这个人。", "这条消息是我们发的。", "找 {tenant} 的负责人：{owner}。"},
		Words{"Found: {tenant} sent it, to this very recipient.", "This message is ours.", "Call the owner of {tenant}: {owner}."}},
	"who_likely": {
		Words{"{tenant} 业务用同一个模板给这个人发过；内容已按期清除，无法逐字核对。", "这条消息很可能是我们发的。", "找 {tenant} 的负责人：{owner}。"},
		Words{"{tenant} sent this recipient a message of the same template; its content is erased, so the words cannot be compared.", "This message is most likely ours.", "Call the owner of {tenant}: {owner}."}},
	"who_template": {
		Words{"出自 {tenant} 业务的模板 {template}。", "这条消息很可能是我们发的。", "找 {tenant} 的负责人：{owner}；补上收件人可以查到具体那一条。"},
		Words{"It is the template {template} of {tenant}.", "This message is most likely ours.", "Call the owner of {tenant}: {owner}. With the recipient, the very message can be found."}},
	"who_piece_sent": {
		Words{"{tenant} 业务给这个人发过一条消息，里面有这段文字。", "这段文字在我们发给您的一条消息里。", "对一下时间，确认是下面哪一条；找 {tenant} 的负责人：{owner}。"},
		Words{"{tenant} sent this recipient a message that has this text in it.", "This text is part of a message that we sent you.", "Compare the times to see which of the messages it is. Call the owner of {tenant}: {owner}."}},
	"who_piece": {
		Words{"这只是一段文字，{tenant} 业务的模板 {template} 里有。", "这段文字像是我们的，请把整条消息发给我们确认；在那之前请不要点里面的链接。", "把整条文字连同【签名】贴上再查，才能确认；先找 {tenant} 的负责人：{owner}。"},
		Words{"It is a piece of a text; the template {template} of {tenant} has it.", "This looks like a part of one of ours. Please send us the whole message, and do not follow its links until we know.", "Paste the whole text with its 【sign】 to be sure. Until then ask the owner of {tenant}: {owner}."}},
	"who_short": {
		Words{"这段文字太短，看不出是谁发的。", "请把整条消息发给我们，我们再确认；在那之前请不要点里面的链接。", "把整条文字连同【签名】一起贴上再查；或按收件人查。"},
		Words{"This text is too short to tell who sent it.", "Please send us the whole message so that we can tell, and do not follow its links until then.", "Paste the whole text with its 【sign】 and search again, or search for the recipient."}},
	"who_several": {
		Words{"有 {count} 个模板对得上，最像 {tenant} 业务的 {template}。", "这条消息很可能是我们发的，正在确认是哪个业务。", "先找 {tenant} 的负责人：{owner}；补上收件人可以查到具体那一条。"},
		Words{"{count} templates fit; the likeliest is {template} of {tenant}.", "This message is most likely ours. We are finding out which team sent it.", "Begin with the owner of {tenant}: {owner}. With the recipient, the very message can be found."}},
	"who_elsewhere": {
		Words{"对得上 {tenant} 业务的模板 {template}，但近 {age}内没有给这个人发过。", "这条消息像是我们的，但没有发给您的记录，请不要点里面的链接。", "找 {tenant} 的负责人：{owner}；可能是转发、别的系统发的，或有人仿冒。"},
		Words{"It fits the template {template} of {tenant}, but nothing of it went to this recipient in the last {age}.", "It looks like one of ours, but we have no record of sending it to you. Please do not follow its links.", "Call the owner of {tenant}: {owner}. It may have been forwarded, sent by another system, or forged."}},
	"who_shared": {
		Words{"出自 {tenant} 业务共享的模板 {template}，您能看到的业务近 {age}内没有给这个人发过，可能是别的业务用它发的。", "这条消息可能是我们发的，正在确认是哪个业务。", "请运营查全部业务的消息；模板的事找 {tenant} 的负责人：{owner}。"},
		Words{"It fits the template {template} that {tenant} shares. No tenant that you can see sent it to this recipient in the last {age}; another one may have.", "This message may be ours. We are finding out which team sent it.", "An operator can search the messages of all tenants. For the template itself, call the owner of {tenant}: {owner}."}},
	"who_sign": {
		Words{"没有模板对得上，但签名【{sign}】是我们的，可能是绕过本平台发的。", "签名是我们的，但没有查到这条消息，请先不要点里面的链接。", "运营问签名【{sign}】的使用方有没有别的发送途径，都不是就按仿冒上报。"},
		Words{"No template fits, but the sign 【{sign}】 is ours: it was possibly sent outside notify.", "The sign is ours, but we have no record of this message. Please do not follow its links for now.", "An operator asks who uses 【{sign}】 whether they send by another way; if nobody does, report it as forged."}},
	"who_stranger": {
		Words{"没有模板对得上，签名【{sign}】也不是我们的，多半不是我们发的。", "这条消息多半不是我们发的，请不要点里面的链接。", "像诈骗的话，请用户向运营商或 12321 举报。"},
		Words{"No template fits and the sign 【{sign}】 is not ours: we most likely did not send it.", "This message is most likely not from us. Please do not follow its links.", "If it looks like fraud, the user reports it to their carrier."}},
	"who_none": {
		Words{"您能看到的模板都对不上，多半不是我们发的。", "没有查到这条消息，多半不是我们发的，请不要点里面的链接。", "把整条文字连同【签名】一起贴上再查；运营可以查全部业务的模板。"},
		Words{"No template that you can see produces this text: we most likely did not send it.", "We find no such message; it is most likely not from us. Please do not follow its links.", "Paste the whole text with its 【sign】 and search again. Operators can search the templates of all tenants."}},
}
