#!/bin/sh
# The Tripoint agent for machines that have nothing but a POSIX shell and curl.
#
# It beats to all control regions in parallel, checks the site, and runs a command when the role of
# the site changes. The role is lent: when no region renews it for as long as its lease lasts, the
# site is demoted, also with the network gone. What it promises, and what not: docs/agent.md.
#
# Everything is set by the variables below, the same as for `tripoint agent`. Times are whole
# seconds (10, 10s, 5m). Needs sh, curl, cat, head, mkdir, mv, rm, sleep, tr; uses setsid, od, date.
#
#   TRIPOINT_AGENT_SERVICE, TRIPOINT_AGENT_SITE   whom it beats for
#   TRIPOINT_AGENT_ENDPOINTS          base URLs of the control regions, separated by commas
#   TRIPOINT_AGENT_TOKEN_FILE         file that holds the token of the site, or
#   TRIPOINT_AGENT_TOKEN              the token itself
#   TRIPOINT_AGENT_INTERVAL           time between beats (1s)
#   TRIPOINT_AGENT_CHECK_COMMAND      exit code 0 = ok, 1 = degraded, other = failing
#   TRIPOINT_AGENT_CHECK_URL          200 to 299 = ok, 429 = degraded, other = failing
#   TRIPOINT_AGENT_CHECK_INTERVAL, TRIPOINT_AGENT_CHECK_TIMEOUT   (the interval; 5s)
#   TRIPOINT_AGENT_ON_PROMOTE, TRIPOINT_AGENT_ON_DEMOTE           commands for sh
#   TRIPOINT_AGENT_PROMOTE_TIMEOUT, TRIPOINT_AGENT_DEMOTE_TIMEOUT (60s; the interval)
#   TRIPOINT_AGENT_LEAVING_ON_EXIT    1 = at the end demote, then tell the regions
#   TRIPOINT_AGENT_UPTIME_FILE        seconds since boot (/proc/uptime); without it `date` is used
#
# The token is handed to curl in a file, so it stands in no list of processes.
#
# shellcheck disable=SC2034,SC2154 # a variable of each endpoint and job is set and read by eval
set -u
umask 077
LC_ALL=C
export LC_ALL

say() { printf 'tripoint-agent: %s\n' "$*" >&2; }
refuse() {
  say "$*"
  exit 2
}

# --- What it was told ---------------------------------------------------------------------------

# seconds NAME VALUE: sets $seconds.
seconds() {
  case $2 in
    *[!0-9smh]* | '' | [smh]* | *[smh]?*) refuse "$1 is not a time in whole seconds: $2" ;;
    *m) seconds=$((${2%m} * 60)) ;;
    *h) seconds=$((${2%h} * 3600)) ;;
    *) seconds=${2%s} ;;
  esac
  # Without this 08 would be octal.
  seconds=${seconds#"${seconds%%[!0]*}"}
  [ -n "$seconds" ] && [ "${#seconds}" -le 6 ] || refuse "$1 is not between 1s and 999999s: $2"
}

name() {
  case $2 in
    '' | *[!A-Za-z0-9._~-]*) refuse "$1 is not set, or not a name: $2" ;;
  esac
}

service=${TRIPOINT_AGENT_SERVICE-}
site=${TRIPOINT_AGENT_SITE-}
name TRIPOINT_AGENT_SERVICE "$service"
name TRIPOINT_AGENT_SITE "$site"

seconds TRIPOINT_AGENT_INTERVAL "${TRIPOINT_AGENT_INTERVAL:-1s}"
interval=$seconds
seconds TRIPOINT_AGENT_CHECK_INTERVAL "${TRIPOINT_AGENT_CHECK_INTERVAL:-$interval}"
check_interval=$seconds
seconds TRIPOINT_AGENT_CHECK_TIMEOUT "${TRIPOINT_AGENT_CHECK_TIMEOUT:-5s}"
check_timeout=$seconds
seconds TRIPOINT_AGENT_PROMOTE_TIMEOUT "${TRIPOINT_AGENT_PROMOTE_TIMEOUT:-60s}"
promote_timeout=$seconds
seconds TRIPOINT_AGENT_DEMOTE_TIMEOUT "${TRIPOINT_AGENT_DEMOTE_TIMEOUT:-$interval}"
demote_timeout=$seconds

promote=${TRIPOINT_AGENT_ON_PROMOTE-}
demote=${TRIPOINT_AGENT_ON_DEMOTE-}
check=${TRIPOINT_AGENT_CHECK_COMMAND-}
check_url=${TRIPOINT_AGENT_CHECK_URL-}
[ -z "$check" ] || [ -z "$check_url" ] || refuse 'one check is enough: a command or a URL'
if [ -n "$check_url" ]; then
  TRIPOINT_CHECK_URL=$check_url
  TRIPOINT_CHECK_TIMEOUT=$check_timeout
  export TRIPOINT_CHECK_URL TRIPOINT_CHECK_TIMEOUT
  # shellcheck disable=SC2016 # for the shell that runs the check
  check='code=$(curl --silent --output /dev/null --max-time "$TRIPOINT_CHECK_TIMEOUT" \
    --write-out "%{http_code}" "$TRIPOINT_CHECK_URL")
  case $code in 2??) exit 0 ;; 429) exit 1 ;; *) exit 2 ;; esac'
fi

token=${TRIPOINT_AGENT_TOKEN-}
token_file=${TRIPOINT_AGENT_TOKEN_FILE-}
# Neither checks nor hooks are to see it.
unset TRIPOINT_AGENT_TOKEN TRIPOINT_TOKEN
if [ -n "$token_file" ]; then
  { IFS= read -r token || [ -n "$token" ]; } 2>/dev/null <"$token_file" ||
    refuse "the token file cannot be read: $token_file"
fi
case $token in
  '' | *[!!-~]* | *[\"\\]*) refuse 'there is no token, or it holds more than one' ;;
esac

command -v curl >/dev/null || refuse 'curl is not installed'
group=setsid
command -v setsid >/dev/null || {
  group=''
  say 'setsid is missing: what a command leaves running is not ended with it'
}

# --- Time: hundredths of a second, from a clock that nobody sets --------------------------------

uptime_file=${TRIPOINT_AGENT_UPTIME_FILE-/proc/uptime}
now=0
grants_until=0

# Sets $now. Where only the wall clock is to be had, a step back ends the lease: better once too
# early than never.
look_at_clock() {
  before=$now
  if [ -n "$uptime_file" ] && read -r up _ 2>/dev/null <"$uptime_file"; then
    part=${up#*.}
    now=$((${up%%.*} * 100 + 1$part - 100))
  else
    now=$(($(date +%s) * 100))
  fi
  [ "$now" -ge "$before" ] || grants_until=0
}

# pause HUNDREDTHS. A signal ends it.
pause() {
  if [ -n "$fractions" ]; then
    part=$((100 + $1 % 100))
    sleep "$(($1 / 100)).${part#1}" &
  else
    sleep 1 &
  fi
  wait "$!"
}

fractions=1
sleep 0.01 2>/dev/null || fractions=''
tick=25
[ -n "$fractions" ] || tick=100

seed=$(od -An -N4 -tu4 /dev/urandom 2>/dev/null)
seed=$((${seed:-$$} % 2147483648))

# chance BELOW: sets $chance. Spreads a fleet; keeps no secret.
chance() {
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  chance=$((seed / 1024 % $1))
}

# --- A place of its own -------------------------------------------------------------------------

dir="${RUNTIME_DIRECTORY:-${TMPDIR:-/tmp}}/tripoint-agent.$$.$seed"
stopping=''
trap 'stopping=1' TERM INT HUP
mkdir "$dir" || refuse "the folder cannot be made: $dir"

# A signal to the whole group must not end the `rm`, and nothing may write while it works: the token
# is in there.
clean_up() {
  trap '' TERM INT HUP
  end_job hook
  end_job check
  end_requests
  rm -rf "$dir" 2>/dev/null || { sleep 1 && rm -rf "$dir"; }
}

end_requests() {
  for n in ${endpoints-}; do
    eval "busy=\$busy_$n"
    [ -n "$busy" ] && [ ! -f "$dir/answer.$n" ] || continue
    eval "kill -KILL \$request_$n; wait \$request_$n"
  done 2>/dev/null
}
trap clean_up EXIT

{
  printf 'silent\nshow-error\nmax-redirs = 0\n'
  printf 'header = "authorization: Bearer %s"\n' "$token"
  printf 'header = "content-type: application/json"\n'
} >"$dir/curl"
token=''

if ! read -r boot 2>/dev/null </proc/sys/kernel/random/uuid; then
  boot=sh-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
fi

# --- Commands with a time limit: one check, one hook, each in its own group of processes ---------

job_hook='' job_check=''
ends_hook=0 ends_check=0

# start_job NAME COMMAND SECONDS
start_job() {
  rm -f "$dir/$1"
  # shellcheck disable=SC2016 # for the shell that runs the command
  wrapper='sh -c "$1"; echo "$?" >"$2.part"; mv "$2.part" "$2"'
  if [ "$1" = check ]; then
    $group sh -c "$wrapper" tripoint "$2" "$dir/$1" </dev/null >/dev/null 2>&1 &
  else
    $group sh -c "$wrapper" tripoint "$2" "$dir/$1" </dev/null >&2 &
  fi
  eval "job_$1=$! ends_$1=$((now + $3 * 100))"
}

# poll_job NAME: true when it has ended or its time is over; sets $code.
poll_job() {
  eval "pid=\$job_$1 ends=\$ends_$1"
  if [ -f "$dir/$1" ]; then
    read -r code <"$dir/$1"
    wait "$pid"
    eval "job_$1=''"
  elif [ "$now" -ge "$ends" ]; then
    end_job "$1"
    code=124
  else
    return 1
  fi
}

# Asks, and kills at once what the asking left: a demotion does not wait for manners. (No `--` before
# the group: the shells do not agree on it.)
end_job() {
  eval "pid=\${job_$1-}"
  [ -n "$pid" ] || return 0
  if [ -n "$group" ]; then pid=-$pid; fi
  kill -TERM "$pid" 2>/dev/null && sleep "${fractions:+0.}1"
  kill -KILL "$pid" 2>/dev/null
  wait "${pid#-}" 2>/dev/null
  eval "job_$1=''"
}

# --- The check ----------------------------------------------------------------------------------

status=''
next_check=0
[ -n "$check" ] || status=ok

look_at_site() {
  [ -n "$check" ] || return 0
  if [ -n "$job_check" ]; then
    poll_job check || return 0
    was=$status
    case $code in 0) status=ok ;; 1) status=degraded ;; *) status=failing ;; esac
    [ "$status" = "$was" ] || say "check $status (exit code $code)"
  fi
  if [ "$now" -ge "$next_check" ]; then
    next_check=$((now + check_interval * 100))
    start_job check "$check" "$check_timeout"
  fi
}

# --- Beats --------------------------------------------------------------------------------------

sequence=0 given_up='' fenced=''
# A request ends before the beat after the next, so a black hole cannot gather them.
limit=$interval
[ "$limit" -le 3 ] || limit=3

endpoints=''
count=0
IFS=' ,'
for url in ${TRIPOINT_AGENT_ENDPOINTS-}; do
  case $url in
    http://127.* | http://localhost* | http://\[::1\]* | https://*) ;;
    *) refuse "an endpoint begins with https://, or http:// on this machine: $url" ;;
  esac
  case $url in *[!!-~]* | *[\"\\\'\`\$]*) refuse "this is not a URL: $url" ;; esac
  count=$((count + 1))
  eval "url_$count=\${url%/} sent_$count=0 after_$count=0 busy_$count='' failed_$count=0 trouble_$count=''"
  endpoints="$endpoints $count"
done
unset IFS
[ "$count" -ge 1 ] && [ "$count" -le 7 ] || refuse 'TRIPOINT_AGENT_ENDPOINTS names 1 to 7 regions'

# send NUMBER STATUS: one request in the background; its answer appears as a file, whole.
send() {
  eval "url=\$url_$1 sent_$1=$now busy_$1=1"
  (
    trap - TERM INT HUP EXIT
    body="{\"sequence\":$sequence,\"bootId\":\"$boot\",\"status\":\"$2\"$given_up$fenced}"
    reply=$(curl --config "$dir/curl" --max-time "$limit" --data-binary "$body" \
      --write-out '\n%{http_code}' \
      "$url/v1/services/$service/sites/$site/heartbeats" 2>&1 | head -c 16384)
    printf '%s\n' "$reply" >"$dir/answer.$1.part"
    mv "$dir/answer.$1.part" "$dir/answer.$1"
  ) &
  eval "request_$1=$!"
}

# A lease that stands and that the latest beat did not renew.
is_at_risk() {
  [ "$now" -lt "$grants_until" ] && [ "$((now - granted_at))" -gt "$((interval * 150))" ]
}

# The role was taken, and the demotion that follows from it is done. Without a hook nobody can tell.
is_given_up() {
  [ "$granted" = standby ] && [ "$granted_term" -ge 0 ] && [ -n "$demote" ] &&
    [ "$wanted" = demote ] && [ "$achieved" = demote ]
}

# A role was given up because nobody renewed it, or none was ever heard of.
is_fenced() {
  if [ "$granted" = unknown ]; then
    [ "$heard" = '' ] && [ "$now" -ge "$unheard_at" ]
  else
    [ "$now" -ge "$grants_until" ]
  fi
}

# To all that are not waited for. One that failed is left alone for a while, unless the lease runs
# out: then none is spared.
beat() {
  sequence=$((sequence + 1))
  given_up=''
  if is_given_up; then
    given_up=",\"acknowledgedEpoch\":{\"term\":$granted_term,\"index\":$granted_index}"
  fi
  fenced=''
  ! is_fenced || fenced=',"fenced":true'
  for n in $endpoints; do
    eval "busy=\$busy_$n after=\$after_$n"
    [ -z "$busy" ] || continue
    if [ "$now" -ge "$after" ] || is_at_risk; then
      send "$n" "$status"
    fi
  done
}

newline='
'

blanks="$newline$(printf ' \t\r')"
value_ends=',}'

# trim TEXT: sets $trimmed.
trim() {
  trimmed=${1#"${1%%[!$blanks]*}"}
  trimmed=${trimmed%"${trimmed##*[!$blanks]}"}
}

# field NAME: sets $field to all that stands after it in $text, with its quotes, up to the next comma
# or brace; empty = none. What is more than a number or a word is for the caller to refuse.
field() {
  trim "${text#*\""$1"\"}"
  field=''
  case $trimmed in
    :*)
      trimmed=${trimmed#:}
      trim "${trimmed%%[$value_ends]*}"
      field=$trimmed
      ;;
  esac
}

# number TEXT: whether it can be counted with.
number() {
  case $1 in '' | *[!0-9]* | 0?*) return 1 ;; esac
  [ "${#1}" -le 15 ]
}

heard='' granted=unknown granted_term=-1 granted_index=-1 granted_at=0

# Reads what has been answered. The highest epoch decides; a lease counts from the sending.
gather() {
  for n in $endpoints; do
    [ -f "$dir/answer.$n" ] || continue
    eval "busy_$n='' sent=\$sent_$n"
    text=$(cat "$dir/answer.$n")
    rm -f "$dir/answer.$n"
    http=${text##*"$newline"}
    text=${text%"$newline"*}
    # Where the answer was too long, the end of it stands in the place of the status.
    case $http in [0-9][0-9][0-9]) ;; *) http=unknown ;; esac
    if [ "$http" = 200 ] && take_answer; then
      eval "failed_$n=0 after_$n=0 trouble_$n=''"
    else
      note_failure "$n"
    fi
  done
}

note_failure() {
  eval "failures=\$failed_$1 trouble=\$trouble_$1 url=\$url_$1"
  wait_most=$((interval * 100 << (failures < 5 ? failures : 5)))
  bound=$((interval > 5 ? interval * 100 : 500))
  chance "$((wait_most < bound ? wait_most : bound))"
  eval "failed_$1=$((failures + 1)) after_$1=$((now + chance)) trouble_$1=\$http"
  if [ "$trouble" != "$http" ]; then
    text=$(printf '%.200s' "${text%%"$newline"*}" | tr -cd ' -~')
    say "no good answer from $url: status $http, $text"
  fi
}

# False for anything but the answer that the API promises: it may come from a captive portal.
take_answer() {
  trim "$text"
  text=$trimmed
  case $text in '{'*'}') ;; *) return 1 ;; esac
  field role && role=$field
  field epoch && epoch=$field
  field term && term=$field
  field index && index=$field
  field nextBeatMs && next=$field
  field leaseMs && lease=$field
  case $role in '"active"' | '"standby"' | '"unknown"') ;; *) return 1 ;; esac
  role=${role#?}
  role=${role%?}
  number "$next" || return 1
  case $epoch in
    null) term=-1 index=-1 ;;
    '{'*) number "$term" && number "$index" || return 1 ;;
    *) return 1 ;;
  esac
  case $lease in '' | null) lease=$((next * 3)) ;; esac
  number "$lease" || return 1
  heard=1
  if [ "$term" -lt "$granted_term" ]; then return 0; fi
  if [ "$term" -eq "$granted_term" ]; then
    if [ "$index" -lt "$granted_index" ]; then return 0; fi
    if [ "$index" -eq "$granted_index" ] && [ "$role" != "$granted" ]; then
      # The log excludes it. Should it happen, standing by costs less than two active sites.
      [ "$role" = standby ] || [ "$granted" = unknown ] || return 0
    fi
  fi
  renew
}

# The lease ends early by what a demotion may take, and by one look at it; but not so early that
# it would lapse between two good beats.
renew() {
  lent=$((lease / 10))
  [ "$lent" -le $((interval * 1200)) ] || lent=$((interval * 1200))
  floor=$((lent < interval * 150 ? lent : interval * 150))
  lent=$((lent - tick))
  [ -z "$demote" ] || lent=$((lent - demote_timeout * 100))
  until=$((sent + (lent > floor ? lent : floor)))
  if [ "$role.$term.$index" = "$granted.$granted_term.$granted_index" ]; then
    [ "$until" -gt "$grants_until" ] || return 0
  fi
  granted=$role granted_term=$term granted_index=$index granted_at=$sent grants_until=$until
}

# --- The role, and the commands that follow it ---------------------------------------------------

told='' wanted='' achieved='' running='' reason='' retry=0 failures_hook=0

follow_role() {
  role=$granted reason_now=answered
  if [ "$now" -ge "$grants_until" ]; then
    [ "$granted" = unknown ] || reason_now='lease-lapsed'
    role=unknown
  fi
  if [ "$role" = unknown ] && [ "$reason_now" = answered ]; then
    # Nothing was ever heard: an earlier agent may have promoted this site all the same.
    [ -z "$told" ] && [ "$now" -ge "$unheard_at" ] || return 0
    reason_now='not-heard'
  fi
  [ "$told" != "$role $granted_term.$granted_index" ] || return 0
  told="$role $granted_term.$granted_index"
  say "role $role at term $granted_term, index $granted_index ($reason_now)"
  want "$role" "$reason_now"
}

want() {
  reason=$2 role_wanted=$1 retry=0 failures_hook=0
  wanted=demote
  [ "$1" != active ] || wanted="promote $granted_term.$granted_index"
}

work() {
  if [ -n "$job_hook" ]; then
    if [ "${running%% *}" = promote ] && [ "$wanted" = demote ]; then
      say 'promote is cut short'
      end_job hook
    elif poll_job hook; then
      say "${running%% *} ended with exit code $code"
      if [ "$code" = 0 ]; then
        achieved=$running
        # At once, not with the next beat: another site may wait for this word.
        ! is_given_up || next_beat=$now
      else
        failures_hook=$((failures_hook + 1))
        retry=$((now + (failures_hook < 6 ? failures_hook : 6) * 80))
      fi
    fi
  fi
  [ -z "$job_hook" ] && [ "$wanted" != "$achieved" ] && [ "$now" -ge "$retry" ] || return 0
  start_hook
}

start_hook() {
  running=$wanted
  achieved=''
  command=$demote timeout=$demote_timeout
  [ "$wanted" = demote ] || command=$promote timeout=$promote_timeout
  if [ -z "$command" ]; then
    achieved=$wanted
    return 0
  fi
  export TRIPOINT_SERVICE="$service" TRIPOINT_SITE="$site"
  export TRIPOINT_ROLE="$role_wanted" TRIPOINT_REASON="$reason"
  export TRIPOINT_EPOCH_TERM='' TRIPOINT_EPOCH_INDEX=''
  if [ "$granted_term" -ge 0 ]; then
    export TRIPOINT_EPOCH_TERM="$granted_term" TRIPOINT_EPOCH_INDEX="$granted_index"
  fi
  say "${wanted%% *} begins ($reason)"
  start_job hook "$command" "$timeout"
}

# --- The loop -----------------------------------------------------------------------------------

# The goodbye comes last: while another site may be named active, this one serves no more.
leave() {
  want standby leaving
  patience=$((now + demote_timeout * 200 + 200))
  while [ "$wanted" != "$achieved" ] && [ "$now" -lt "$patience" ]; do
    work
    pause 10
    look_at_clock
  done
  if [ "$wanted" != "$achieved" ]; then
    say 'the site could not be demoted, so it did not say goodbye'
    exit 1
  fi
  sequence=$((sequence + 1))
  rm -f "$dir"/answer.*
  given_up='' fenced=''
  # A second signal does not cut the goodbye short; it takes a few seconds at most.
  trap '' TERM INT HUP
  for n in $endpoints; do send "$n" leaving; done
  wait
  endpoints=''
}

look_at_clock
unheard_at=$((now + interval * 300))
# Agents that were started together are not to beat together.
chance "$((interval * 100))"
next_beat=$((now + (chance < 300 ? chance : 300)))
say "beats for $service@$site to $count regions each ${interval}s"
while [ -z "$stopping" ]; do
  gather
  look_at_site
  follow_role
  work
  if [ "$now" -ge "$next_beat" ] && [ -n "$status" ]; then
    beat
    chance "$((interval * 10 + 1))"
    next_beat=$((next_beat + interval * 100 - interval * 5 + chance))
    # A machine that slept beats once and counts afresh.
    [ "$next_beat" -gt "$now" ] || next_beat=$((now + interval * 100))
  fi
  left=$((next_beat - now))
  [ "$left" -lt "$tick" ] || left=$tick
  pause "$((left > 1 ? left : 1))"
  look_at_clock
done

say 'stops'
end_job check
[ "${TRIPOINT_AGENT_LEAVING_ON_EXIT-}" != 1 ] || leave
exit 0
