#!/bin/sh
# Has CloudFormation roll a deployment back when a page fires while it runs, or for some minutes after. It is set once:
# CloudFormation keeps it for the deployments that follow. Needs the AWS CLI.
#   tools/guard.sh notify 10
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html
set -eu
stack=${1:?say which stack, as notify-dev}
minutes=${2:-10}
# Those of the stack and of its channels; a stack takes five.
triggers=
for arn in $(aws cloudwatch describe-alarms --alarm-types CompositeAlarm --alarm-name-prefix "$stack-" --query 'CompositeAlarms[:5].AlarmArn' --output text); do
	triggers="$triggers${triggers:+,}{\"Arn\":\"$arn\",\"Type\":\"AWS::CloudWatch::CompositeAlarm\"}"
done
[ -n "$triggers" ] || { echo "stack $stack has no pages: deploy it with Alarms=on first" >&2; exit 1; }
parameters=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Parameters[].{ParameterKey:ParameterKey,UsePreviousValue:`true`}' --output json)
# The tag changes with every call: an update that changes nothing is refused.
aws cloudformation update-stack --stack-name "$stack" --use-previous-template --parameters "$parameters" \
	--capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --tags "Key=notify:guarded,Value=$(date +%s)" \
	--rollback-configuration "{\"MonitoringTimeInMinutes\":$minutes,\"RollbackTriggers\":[$triggers]}"
