package trace

// ended has the verdicts on messages that have ended.
var ended = map[string]phrase{
	"delivered_sms": {
		Words{"运营商{ago}确认送达。", "短信已经送到您的手机，请看看拦截和垃圾短信，双卡手机两张卡都看一下。", "不用处理；还是找不到的话，请用户联系运营商。"},
		Words{"The carrier confirmed delivery {ago}.", "The text message has reached your phone. Please check blocked messages and spam, and both SIM cards if you have two.", "Nothing to do. If it cannot be found, the user asks their carrier."}},
	"delivered_email": {
		Words{"收件方的邮件服务器{ago}确认收下。", "邮件已经送到您的邮箱，请看看垃圾邮件和其他文件夹。", "不用处理；还是找不到的话，请用户联系邮箱管理员。"},
		Words{"The recipient's mail server took it {ago}.", "The email has reached your mailbox. Please check spam and your other folders.", "Nothing to do. If it cannot be found, the user asks whoever runs their mailbox."}},
	"delivered": {
		Words{"{provider} {ago}确认送达。", "消息已经送达，请在对应的应用里查看，并确认没有关掉通知。", "不用处理。"},
		Words{"{provider} confirmed delivery {ago}.", "Your message has arrived. Please look in the app it was sent to, and check that notifications are on.", "Nothing to do."}},
	"undelivered_sms": {
		Words{"运营商回执说没有送到{code}。", "短信没有送到，可能是空号、停机、关机，或者被拦截。请核对号码，确认手机能收短信。", "号码不对由业务方更正；号码没问题就换供应商或换渠道重发，具体原因看时间线里的代码。"},
		Words{"The carrier reports that it did not arrive{code}.", "The text message did not get through: the number may be wrong, out of service, switched off or blocking messages. Please check it.", "If the number is wrong, the sending team corrects it; if not, resend through another provider or channel. The code in the timeline says why."}},
	"undelivered_email": {
		Words{"收件方暂时收不了这封邮件{code}，{provider} 已放弃投递。", "邮件没有送到，可能是邮箱满了或对方服务器暂时拒收。请检查邮箱后再试。", "客服稍后重发，或换一个地址；具体原因看时间线里的代码。"},
		Words{"The recipient's side could not take the mail{code} and {provider} gave up.", "The email did not get through: the mailbox may be full or its server refused it for now. Please check it and try again.", "Support resends it later or to another address. The code in the timeline says why."}},
	"undelivered": {
		Words{"{provider} 回执说没有送到{code}。", "消息没有送到，请确认账号有效、应用还在使用。", "业务方核对收件账号，或换个渠道重发；具体原因看时间线里的代码。"},
		Words{"{provider} reports that it did not arrive{code}.", "Your message did not get through. Please check that your account is right and the app is still in use.", "The sending team checks the recipient or resends through another channel. The code in the timeline says why."}},
	"bounced": {
		Words{"对方永久拒收{code}：地址不存在，或已停用。", "这个地址收不了消息，请提供一个可用的地址。", "业务方更正地址；更正前不要再往这个地址发。"},
		Words{"It was refused for good{code}: the address does not exist or is closed.", "This address cannot receive messages. Please give us one that works.", "The sending team corrects the address, and sends nothing there until then."}},
	"complained": {
		Words{"收件人把它标成了垃圾邮件。", "您曾把我们的消息标为垃圾邮件，想继续收到的话，请取消标记并告诉我们。", "业务方检查是否该发给他；用户明确要求后，运营才可以移出黑名单。"},
		Words{"The recipient reported it as spam.", "You once reported our messages as spam. To get them again, please undo that and let us know.", "The sending team checks whether it should have been sent; an operator lifts the suppression only if the user asks."}},
	"failed_rejected": {
		Words{"{provider} 明确拒绝了这条消息{code}，不会再试。", "这条消息没有发出去，我们正在处理。", "原话看时间线：内容或模板问题找业务方，号码问题请用户核对，账号问题找账号负责人。"},
		Words{"{provider} refused this message for good{code}; it is not tried again.", "This message was not sent. We are looking into it.", "The timeline has the provider's words: content is for the sending team, the number for the user, the account for its owner."}},
	"failed_not_rendered": {
		Words{"模板填不出内容，没有发出。", "这条消息没有发出去，我们正在处理。", "模板负责人修好模板，业务方重新发起。"},
		Words{"The template could not be rendered, so nothing was sent.", "This message was not sent. We are looking into it.", "The template's owner fixes it; the sending team sends it again."}},
	"failed_erased": {
		Words{"还没发出，变量就已经按期清除了，没有发出。", "这条消息已经失效，请重新操作一次。", "业务方重新发起。"},
		Words{"Its variables were erased on schedule before it could go out; nothing was sent.", "This message is no longer valid. Please try again.", "The sending team sends a new one."}},
	"failed_given_up": {
		Words{"请求没有等到 {provider} 的答复，按规则不再重发，以免重复。{rule}", "不能确定这条消息是否发出，请看看有没有收到。", "运营到 {provider} 查证，需要的话重投。"},
		Words{"{provider} never answered; by policy it is not sent again, so that nobody gets it twice.{rule}", "We cannot tell whether this message went out. Please check whether you have it.", "An operator checks with {provider} and redrives it if needed."}},
	"failed_no_receipt": {
		Words{"请求没有等到 {provider} 的答复，之后 3 天也没有回执，已经放弃。{rule}", "这条消息很可能没有发出，需要的话请重新操作一次。", "业务方按需重新发起。"},
		Words{"{provider} never answered, and no receipt came in 3 days: given up.{rule}", "This message was most likely not sent. Please try again if you still need it.", "The sending team sends a new one if it still matters."}},
	"failed": {
		Words{"没有发出{code}。", "这条消息没有发出去，我们正在处理。", "运营按时间线里的原因处理。"},
		Words{"It was not sent{code}.", "This message was not sent. We are looking into it.", "An operator acts on the reason in the timeline."}},
	"expired": {
		Words{"排队太久，过了有效期，没有发出。", "这条消息没能及时发出，已经失效，请重新操作一次。", "运营查看{channel}渠道当时的积压。"},
		Words{"It waited too long in the queue and expired; it was not sent.", "This message could not be sent in time and is no longer valid. Please try again.", "An operator looks at the backlog that the {channel} channel had then."}},
	"expired_limit": {
		Words{"一直被限流，等到过了有效期，没有发出。", "当时发送量太大，消息没能及时发出，请重新操作一次。", "运营看是谁占了额度，再决定加账号还是提上限。"},
		Words{"It was held back by a rate limit until it expired; it was not sent.", "We were sending too much at the time and this one was not sent. Please try again.", "An operator sees who held the quota, then adds an account or raises the limit."}},
	"expired_budget": {
		Words{"这个业务的预算用完，等到过了有效期，没有发出。", "这类消息当时停发，这条已经失效，请重新操作一次。", "业务负责人找运营提高预算，再按需重新发起。"},
		Words{"Its tenant's budget was used up until it expired; it was not sent.", "These messages were paused at the time and this one is no longer valid. Please try again.", "The tenant's owner asks an operator for a higher budget, and sends a new one if it still matters."}},
	"expired_recipient_limit": {
		Words{"这个收件人一直在供应商的上限上，等到过了有效期，没有发出。", "近期发给您的消息较多，这条没能及时发出，已经失效，请重新操作一次。", "业务方检查是否在重复触发；上限是供应商定的。"},
		Words{"The recipient was at the provider's limit until it expired; it was not sent.", "You were sent a lot at the time, and this message is no longer valid. Please try again.", "The sending team checks what triggers so many; the limit is the provider's."}},
	"expired_no_binding": {
		Words{"{channel}渠道没有账号绑定了这个模板，等到过了有效期，没有发出。", "发送通道当时不可用，消息没有发出，请重新操作一次。", "运营用 notify template bind 把模板绑定到一个账号。"},
		Words{"No {channel} account was bound to this template until it expired; it was not sent.", "The channel was unavailable and this message was not sent. Please try again.", "An operator binds the template over an account (notify template bind)."}},
	"expired_no_account": {
		Words{"{channel}渠道没有可用账号，等到过了有效期，没有发出。", "发送通道当时不可用，消息没有发出，请重新操作一次。", "运营启用或修好一个账号。"},
		Words{"The {channel} channel had no working account until it expired; it was not sent.", "The channel was unavailable and this message was not sent. Please try again.", "An operator switches an account on, or repairs one."}},
	"expired_quiet_hours": {
		Words{"有效期没有撑过收件人的免打扰时段，没有发出。", "这条消息没能及时发出，已经失效，请重新操作一次。", "业务方放宽有效期，或白天再发；时段由运营在路由里定。"},
		Words{"It expired within the recipient's quiet hours; it was not sent.", "This message could not be sent in time and is no longer valid. Please try again.", "The sending team gives it more time or sends it by day; an operator sets the hours in the route."}},
	"expired_capped": {
		Words{"收件人一直在频率上限上，等到过了有效期，没有发出。", "近期发给您的消息较多，这条没能及时发出，已经失效，请重新操作一次。", "业务方检查是否在重复触发；上限由运营在路由里定。"},
		Words{"The recipient was at the frequency cap until it expired; it was not sent.", "You were sent a lot at the time, and this message is no longer valid. Please try again.", "The sending team checks what triggers so many; an operator sets the cap in the route."}},
	"expired_silenced": {
		Words{"运营设的静默结束之前，它已过了有效期，没有发出。", "这类消息当时停发，这条已经失效，请重新操作一次。", "设静默的运营能说明原因；业务方按需重新发起。"},
		Words{"It expired while an operator had silenced these messages; it was not sent.", "These messages were paused at the time and this one is no longer valid. Please try again.", "The operator who set the silence can say why; the sending team sends a new one if needed."}},
	"expired_retrying": {
		Words{"试了 {calls} 次都没成功{code}，过了有效期，不再发。", "这条消息没能及时发出，已经失效，请重新操作一次。", "运营查看 {provider} 当时的故障，需要时切换供应商。{address}"},
		Words{"It expired after {calls} without success{code}; it is not tried again.", "This message could not be sent in time and is no longer valid. Please try again.", "An operator looks at what was wrong with {provider}, and switches providers if needed.{address}"}},
	"expired_sibling": {
		Words{"备用渠道，一直没轮到，已过期，没有发出。", "我们用另一种方式给您发过消息，请在那边找一找。", "不用处理；结果看同组里前一个渠道的消息。"},
		Words{"A fallback whose turn never came; it expired and was not sent.", "We wrote to you another way. Please look there.", "Nothing to do. The message before it in the group shows the result."}},
	"cancelled_by": {
		Words{"{ago}被 {by} 取消，没有发出。", "这条消息已被发送方取消。", "需要的话由业务方重新发起；取消的理由看时间线。"},
		Words{"{by} cancelled it {ago}; it was not sent.", "The sender cancelled this message.", "The sending team sends a new one if needed. The timeline has the reason."}},
	"cancelled_not_needed": {
		Words{"前一个渠道已经够了，这条备用的没有发。", "我们用另一种方式给您发过消息，请在那边找一找。", "不用处理；结果看同组里前一个渠道的消息。"},
		Words{"The channel before it was enough, so this fallback was not sent.", "We wrote to you another way. Please look there.", "Nothing to do. The message before it in the group shows the result."}},
	"cancelled": {
		Words{"{ago}被取消，没有发出。", "这条消息已被发送方取消。", "需要的话由业务方重新发起。"},
		Words{"It was cancelled {ago} and not sent.", "The sender cancelled this message.", "The sending team sends a new one if needed."}},
	"suppressed_bounce": {
		Words{"这个地址以前永久拒收过，在黑名单里，没有发出。", "这个地址之前收不了消息，请换一个，或确认它已恢复。", "地址恢复后，运营移出黑名单，业务方再发起。"},
		Words{"The address refused mail for good before and is suppressed; nothing was sent.", "This address could not receive messages before. Please give us another, or confirm that it works again.", "Once it works, an operator lifts the suppression and the sending team sends again."}},
	"suppressed_complaint": {
		Words{"收件人投诉过，在黑名单里，没有发出。", "您曾投诉过我们的消息，所以不再发送；想恢复请告诉我们。", "用户明确要求后，运营移出黑名单。"},
		Words{"The recipient complained before and is suppressed; nothing was sent.", "You once complained about our messages, so we stopped. Let us know if you want them again.", "An operator lifts the suppression if the user asks."}},
	"suppressed_opt_out": {
		Words{"收件人退订了，没有发出。", "您已经退订这类消息；想恢复请告诉我们。", "用户明确要求后，运营移出黑名单。"},
		Words{"The recipient has opted out; nothing was sent.", "You have unsubscribed from these messages. Let us know if you want them again.", "An operator lifts the suppression if the user asks."}},
	"suppressed_manual": {
		Words{"运营把这个地址加进了黑名单，没有发出。", "目前不向这个地址发送消息，我们去核实原因。", "加黑名单的运营能说明原因，也能移出。"},
		Words{"An operator suppressed this address; nothing was sent.", "We do not write to this address at the moment. We are checking why.", "The operator who suppressed it can say why, and lift it."}},
	"suppressed_quiet_hours": {
		Words{"收件人那边是免打扰时段，按路由的规定不发。", "为了不打扰您，这条消息没有发出。", "要改成过后补发，由运营改路由。"},
		Words{"It was quiet hours where the recipient is; by the route's rule it was dropped.", "So as not to disturb you, this message was not sent.", "An operator changes the route if such messages shall wait instead."}},
	"suppressed_silenced": {
		Words{"运营设了静默，这段时间的这类消息不发。", "这类消息当时停发，所以没有发给您。", "设静默的运营能说明原因；业务方按需重新发起。"},
		Words{"An operator had silenced these messages; it was dropped.", "These messages were stopped at the time, so this one was not sent.", "The operator who set the silence can say why; the sending team sends a new one if needed."}},
	"suppressed_capped": {
		Words{"给这个收件人发得太多了，超过了频率上限，没有发出。", "短时间内发给您的消息太多，这条没有发出，请稍后再试。", "业务方检查是否在重复触发；上限由运营在路由里定。"},
		Words{"This recipient had reached the frequency cap; it was not sent.", "You were sent too many messages in a short time, so this one was not. Please try again later.", "The sending team checks what triggers so many; an operator sets the cap in the route."}},
	"suppressed": {
		Words{"这个地址不允许发送，没有发出。", "目前不向这个地址发送消息，我们去核实原因。", "运营查看黑名单。"},
		Words{"This address must not be written to; nothing was sent.", "We do not write to this address at the moment. We are checking why.", "An operator looks at the suppressions."}},
	"dead": {
		Words{"试了 {calls} 次都没成功{code}，已进死信。", "这条消息没有发出去，我们正在处理。", "运营确认 {provider} 恢复后重投，或换供应商。"},
		Words{"All attempts failed ({calls}){code}; it is in the dead letters.", "This message was not sent. We are looking into it.", "An operator redrives it when {provider} is well again, or switches providers."}},
	"dead_late": {
		Words{"没有发成{code}，在死信里过了有效期，不会再发。", "这条消息没能及时发出，已经失效，请重新操作一次。", "运营按时间线里的原因处理，免得再发生；业务方按需重新发起，重投不会再发它。"},
		Words{"It was not sent{code}, and has expired among the dead letters: it is not tried again.", "This message could not be sent in time and is no longer valid. Please try again.", "An operator acts on the reason in the timeline, so that it does not happen again; the sending team sends a new one if it still matters. A redrive leaves this one."}},
	"dead_account": {
		Words{"我方在 {provider} 的账号有问题{code}，已进死信。", "这条消息没有发出去，是我们这边的问题，正在处理。", "账号负责人按代码检查余额、签名、密钥；修好后运营重投。{address}"},
		Words{"{provider} finds fault with our account{code}; it is in the dead letters.", "This message was not sent. The problem is on our side and we are fixing it.", "The account's owner checks balance, signature and credentials; then an operator redrives it.{address}"}},
	"dead_poison": {
		Words{"发送进程处理不了这条消息，已进死信。", "这条消息没有发出去，是我们这边的问题，正在处理。", "开发按消息编号查日志，修好后运营重投。"},
		Words{"The workers could not get through it; it is in the dead letters.", "This message was not sent. The problem is on our side and we are fixing it.", "A developer finds its id in the logs; once that is fixed, an operator redrives it."}},
	"simulated_test_key": {
		Words{"用测试密钥发的，没有真的发出；真发的话会是：{outcome}。", "这是一条测试消息，不会送到任何人。", "要真的发送，业务方换正式密钥。"},
		Words{"Sent with a test key: nothing went out. Its outcome would have been: {outcome}.", "This was a test message; nobody gets it.", "To send for real, the sending team uses a live key."}},
	"simulated_stage": {
		Words{"这个环境只允许发给白名单，没有真的发出；真发的话会是：{outcome}。", "这是测试环境的消息，不会送到任何人。", "要在这个环境收到，运营把地址加进白名单。"},
		Words{"This stage only writes to its allow-list: nothing went out. Its outcome would have been: {outcome}.", "This message is of a test environment; nobody gets it.", "To receive it here, an operator adds the address to the allow-list."}},
	"simulated": {
		Words{"模拟发送，没有真的发出；真发的话会是：{outcome}。", "这是一条测试消息，不会送到任何人。", "不用处理。"},
		Words{"Simulated: nothing went out. Its outcome would have been: {outcome}.", "This was a test message; nobody gets it.", "Nothing to do."}},
}
