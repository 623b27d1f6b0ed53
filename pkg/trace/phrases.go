package trace

// phrase is a verdict before its blanks are filled.
type phrase struct{ zh, en Words }

// phraseOf finds the phrase of a code.
func phraseOf(code string) phrase {
	for _, part := range []map[string]phrase{moving, ended, origins} {
		if p, ok := part[code]; ok {
			return p
		}
	}
	return phrase{}
}

// moving has the verdicts on messages that have not ended.
var moving = map[string]phrase{
	"scheduled": {
		Words{"定时消息，{next}发送。", "消息已经安排好，到时间会自动发出。", "不用处理；要改时间，由业务方取消后重新发起。"},
		Words{"Scheduled: it goes out {next}.", "Your message is scheduled and will be sent automatically.", "Nothing to do. To change the time, the sending team cancels it and sends a new one."}},
	"scheduled_sibling": {
		Words{"备用渠道，在等前一个渠道的结果：前一个没送到才会发这条。", "正在用首选渠道给您发送，收不到会自动换一种方式。", "不用处理；前一个渠道的进展看同组的消息。"},
		Words{"A fallback: it is sent only if the channel before it fails.", "We are trying your first channel; if that fails, we switch to another one.", "Nothing to do. The other messages of its group show how the first channel is doing."}},
	"waiting_late": {
		Words{"已经过了有效期，不会再发，马上会标记为过期。", "这条消息没能及时发出，已经失效，请重新操作一次。", "运营查为什么没按时发出；业务方按需重新发起。"},
		Words{"Past its expiry: it will not be sent, and is about to be marked expired.", "This message could not be sent in time and is no longer valid. Please try again.", "An operator finds out what held it up; the sending team sends a new one if it still matters."}},
	"queued": {
		Words{"已受理，正在排队，一般几秒内就会发出。", "消息正在发送，请稍等片刻。", "不用处理。"},
		Words{"Accepted and queued; it normally goes out within seconds.", "Your message is on its way. Please give it a moment.", "Nothing to do."}},
	"queued_long": {
		Words{"已经排队 {age}，比平时慢。", "现在发送比较慢，消息会自动发出，请稍等。", "运营查看{channel}渠道的积压和发送进程。"},
		Words{"It has been waiting for {age}, longer than usual.", "Sending is slow right now. Your message will go out by itself.", "An operator looks at the backlog and the workers of the {channel} channel."}},
	"queued_limit": {
		Words{"账号已到发送频率上限，{next}再发。", "现在发送量较大，消息在排队，会自动发出。", "运营看是谁占了额度，再决定调权重、加账号还是提上限。"},
		Words{"The account is at its rate limit; next try {next}.", "We are sending a lot right now. Your message is queued and will go out by itself.", "An operator sees who holds the quota, then shifts weight, adds an account or raises the limit."}},
	"queued_budget": {
		Words{"这个业务本月的预算已用完，营销消息先不发，{next}再看一次。", "这类消息暂时停发，恢复后会自动发出。", "业务负责人找运营提高预算，或等下个月；验证码和通知不受影响。"},
		Words{"Its tenant's budget for the month is used up, so marketing waits; next look {next}.", "These messages are paused for now and go out once that is over.", "The tenant's owner asks an operator for more, or waits for the next month. Codes and notices are not held back."}},
	"queued_recipient_limit": {
		Words{"这个收件人在该账号上已到供应商的上限，{next}再发。", "近期发给您的消息较多，这条会稍后自动发出。", "不用处理；再发供应商会直接丢弃。业务方检查是否在重复触发。"},
		Words{"This recipient has had as many over this account as its provider lets through; it goes out {next}.", "You were sent a lot lately, so this message goes out a little later.", "Nothing to do: the provider would drop it. The sending team checks what triggers so many."}},
	"queued_no_account": {
		Words{"{channel}渠道没有启用的账号，{next}再看一次。", "发送通道暂时不可用，恢复后会自动发出。", "运营启用一个账号，或新增一个。"},
		Words{"The {channel} channel has no account that is switched on; next look {next}.", "This channel is briefly unavailable. Your message goes out as soon as it is back.", "An operator switches an account on, or adds one."}},
	"queued_no_binding": {
		Words{"{channel}渠道启用的账号都要用供应商自己的模板，这个模板版本还没有绑定（或被拒绝），{next}再看一次。", "这条消息暂时发不出去，我们正在处理，处理好会自动发出。", "运营用 notify template bind 把模板绑定到一个账号；explain 会列出这些账号。"},
		Words{"The {channel} accounts that are on send their vendor's own templates only, and this version is bound to none (or to one that was rejected); next look {next}.", "We cannot send this message just yet. It goes out by itself once we have put that right.", "An operator binds the template over an account (notify template bind); explain names the accounts."}},
	"queued_account_unusable": {
		Words{"选中的账号打不开（配置或密钥有误），{next}再试。", "发送通道暂时不可用，恢复后会自动发出。", "账号负责人检查配置和密钥；运营可先切到别的账号。"},
		Words{"The chosen account cannot be opened (its settings or credentials are wrong); next try {next}.", "This channel is briefly unavailable. Your message goes out as soon as it is back.", "The account's owner checks its settings and credentials; an operator can route around it meanwhile."}},
	"queued_quiet_hours": {
		Words{"收件人那边是免打扰时段，{next}发送。", "为了不打扰您，消息会在免打扰时段过后发出。", "不用处理；要改时段，由运营改路由。"},
		Words{"It is quiet hours where the recipient is; it goes out {next}.", "So as not to disturb you, your message goes out when quiet hours are over.", "Nothing to do. An operator changes the hours in the route."}},
	"queued_silenced": {
		Words{"运营设了静默，先不发，{next}再看一次。", "这类消息暂时停发，恢复后会自动发出。", "设静默的运营能说明原因，也能提前结束。"},
		Words{"An operator has silenced these messages; next look {next}.", "These messages are paused for now and go out once that is over.", "The operator who set the silence can say why, and end it."}},
	"queued_capped": {
		Words{"这个收件人已到频率上限，{next}再发。", "近期发给您的消息较多，这条会稍后自动发出。", "不用处理；上限由运营在路由里定。"},
		Words{"This recipient has reached the frequency cap; it goes out {next}.", "You were sent a lot lately, so this message goes out a little later.", "Nothing to do. An operator sets the cap in the route."}},
	"queued_redriven": {
		Words{"刚被重投，正在排队。", "消息正在重新发送，请稍等片刻。", "不用处理。"},
		Words{"It was redriven and is queued again.", "We are sending your message again. Please give it a moment.", "Nothing to do."}},
	"queued_throttled": {
		Words{"{provider} 限流{code}，{next}第 {nth} 次尝试。", "现在发送量较大，消息在排队，会自动发出。", "运营看是谁占了额度，再决定调权重还是换供应商。"},
		Words{"{provider} is throttling us{code}; call {nth} goes out {next}.", "We are sending a lot right now. Your message is queued and will go out by itself.", "An operator sees who holds the quota, then shifts weight or switches providers."}},
	"queued_deferred": {
		Words{"{provider} 要求晚点再来{code}，{next}第 {nth} 次尝试。", "对方系统要求稍后再发，消息会自动发出。", "不用处理；若一直这样，运营换供应商。"},
		Words{"{provider} asked us to come back later{code}; call {nth} goes out {next}.", "The other side asked us to wait a little. Your message will go out by itself.", "Nothing to do. If it goes on, an operator switches providers."}},
	"queued_token": {
		Words{"{provider} 的访问令牌失效，换新令牌后{next}重试。", "消息正在发送，请稍等片刻。", "不用处理。"},
		Words{"The access token of {provider} was stale; we try again with a new one {next}.", "Your message is on its way. Please give it a moment.", "Nothing to do."}},
	"queued_account": {
		Words{"我方在 {provider} 的账号有问题{code}，{next}第 {nth} 次尝试，有别的账号就换账号。", "发送通道出了点问题，正在自动切换，请稍等。", "账号负责人按代码检查余额、签名、密钥。{address}"},
		Words{"{provider} found fault with our account{code}; call {nth} goes out {next}, through another account if there is one.", "One of our channels has a problem and we are switching over. Please give it a moment.", "The account's owner checks balance, signature and credentials; the code says which.{address}"}},
	"queued_retry": {
		Words{"{provider} 暂时出错{code}，{next}第 {nth} 次尝试。", "消息正在重试，会自动发出。", "不用处理；若一直失败，运营换供应商。"},
		Words{"{provider} had a passing fault{code}; call {nth} goes out {next}.", "We are retrying. Your message will go out by itself.", "Nothing to do. If it keeps failing, an operator switches providers."}},
	"queued_resend": {
		Words{"上次请求没有等到 {provider} 的答复，按规则{next}再发一次，用户可能收到两条。{rule}", "消息正在重发，如果收到两条，以新的一条为准。", "不用处理。"},
		Words{"{provider} never answered the last call; by policy it is sent again {next}, so two copies may arrive.{rule}", "We are sending it again. If you get it twice, use the newer one.", "Nothing to do."}},
	"sending": {
		Words{"正在交给 {provider}。", "消息正在发送，请稍等片刻。", "不用处理。"},
		Words{"It is being handed to {provider} right now.", "Your message is on its way. Please give it a moment.", "Nothing to do."}},
	"sending_lost": {
		Words{"发送进程没有交回结果，不知道 {provider} 收到没有，系统马上按规则处理。", "消息正在发送，请稍等片刻。", "不用处理；若几分钟后还是这样，运营查看发送进程。"},
		Words{"The worker never reported back, so whether {provider} got it is unknown; the system is about to decide by policy.", "Your message is on its way. Please give it a moment.", "Nothing to do. If this stays for minutes, an operator looks at the workers."}},
	"sent": {
		Words{"{ago}交给 {provider}，对方已接收，在等送达回执。", "消息已经发出，一般马上就到，请再等一两分钟。", "不用处理。"},
		Words{"{provider} took it {ago}; its delivery receipt is still to come.", "Your message has been sent and should arrive within a minute or two.", "Nothing to do."}},
	"sent_old": {
		Words{"{ago}交给 {provider}，到现在没有回执，渠道可能异常。", "消息已经发出，但还没有送达确认。没收到的话，我们换个通道重发。", "客服可以换供应商重发；运营查看 {provider} 的回执是否中断。"},
		Words{"{provider} took it {ago} and has sent no receipt since: the channel may be in trouble.", "Your message was sent but its delivery is not confirmed. If it has not arrived, we can send it another way.", "Support resends it through another provider; an operator checks whether receipts from {provider} have stopped."}},
	"sent_silent": {
		Words{"{ago}交给 {provider}，一直没有回执，也不会再有了。", "消息当时已经发出，是否送达没有记录。需要的话我们重发一条。", "业务方按需重新发起。"},
		Words{"{provider} took it {ago}; no receipt came and none will any more.", "Your message was sent at the time, but whether it arrived was never reported. We can send a new one.", "The sending team sends a new one if it still matters."}},
	"sent_final": {
		Words{"{ago}交给 {provider}，对方已接收。这个通道不给回执，之后的情况查不到。", "消息已经发出，请在对应的应用或邮箱里找一找。", "确实没有的话，到 {provider} 那边查，或者重发。"},
		Words{"{provider} took it {ago}. It sends no receipts, so nothing more can be known here.", "Your message has been sent. Please look for it in the app or mailbox it was sent to.", "If it is really not there, ask on the side of {provider}, or resend it."}},
	"sent_watched": {
		Words{"{ago}交给 {provider}，如果不能按时收到回执，会自动换下一个渠道。", "消息已经发出，收不到会自动换一种方式再发。", "不用处理。"},
		Words{"{provider} took it {ago}; if no receipt comes in time, the next channel goes.", "Your message has been sent. If it does not arrive, we try another way by ourselves.", "Nothing to do."}},
	"in_doubt": {
		Words{"请求发出去了，但没有等到 {provider} 的答复，可能已经送到，也可能没有，在等回执。{rule}", "暂时不能确定是否发出，请先看看有没有收到，我们在跟进。", "先等回执，不要急着重发，免得重复；等不及就由运营到 {provider} 查证后再重投。"},
		Words{"The request left, but {provider} never answered: it may or may not have been sent. A receipt would settle it.{rule}", "We cannot tell yet whether it went out. Please check whether you have it while we look into it.", "Wait for the receipt; resending now may send it twice. If it is urgent, an operator checks with {provider}, then redrives it."}},
	"in_doubt_blind": {
		Words{"请求发出去了，但没有等到 {provider} 的答复，可能已经送到，也可能没有。这个通道不给回执，需要人来判断。{rule}", "暂时不能确定是否发出，请先看看有没有收到，我们在跟进。", "运营到 {provider} 查证，确认没发出再重投。"},
		Words{"The request left, but {provider} never answered: it may or may not have been sent. No receipt will come, so a person has to decide.{rule}", "We cannot tell yet whether it went out. Please check whether you have it while we look into it.", "An operator checks with {provider}, and redrives it if it was not sent."}},
}
