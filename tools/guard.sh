#!/bin/sh
# Has CloudFormation roll a deployment back when a page fires while it runs, or for some minutes after; off takes that
# back. CloudFormation keeps it for the deployments that follow, and fails one whose pages are not all there: set it again
# once a channel was switched on or off. Needs the AWS CLI.
#   tools/guard.sh notify 10
#   tools/guard.sh notify off
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackConfiguration.html
set -eu
stack=${1:?say which stack, as notify-dev}
minutes=${2:-10}
triggers=
if [ "$minutes" = off ]; then
	minutes=0
else
	# By their full names: notify-dev's begin as notify's do. The stack's own is the first, as a stack takes five.
	pages=$stack-page
	for channel in sms email push feishu dingtalk wecom wechat whatsapp slack telegram discord webhook other; do
		pages="$pages $stack-$channel-page"
	done
	there=$(aws cloudwatch describe-alarms --alarm-types CompositeAlarm --alarm-names $pages --query 'CompositeAlarms[].AlarmArn' --output text)
	taken=0
	for page in $pages; do
		for arn in $there; do
			[ "${arn##*:}" = "$page" ] || continue
			if [ "$taken" = 5 ]; then
				echo "$page does not roll back: a stack takes five" >&2
				continue
			fi
			taken=$((taken + 1))
			triggers="$triggers${triggers:+,}{\"Arn\":\"$arn\",\"Type\":\"AWS::CloudWatch::CompositeAlarm\"}"
		done
	done
	[ -n "$triggers" ] || { echo "stack $stack has no pages: deploy it with Alarms=on first" >&2; exit 1; }
fi
parameters=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Parameters[].{ParameterKey:ParameterKey,UsePreviousValue:`true`}' --output json)
# A tag changes with every call, as an update that changes nothing is refused; the others stay.
tags=$(aws cloudformation describe-stacks --stack-name "$stack" --output json \
	--query "Stacks[0].[Tags[?Key!='notify:guarded'], [{Key: 'notify:guarded', Value: '$(date +%s)'}]][]")
aws cloudformation update-stack --stack-name "$stack" --use-previous-template --parameters "$parameters" \
	--capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --tags "$tags" \
	--rollback-configuration "{\"MonitoringTimeInMinutes\":$minutes,\"RollbackTriggers\":[$triggers]}"
