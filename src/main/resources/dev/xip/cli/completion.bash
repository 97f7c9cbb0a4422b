  esac
}

# Names that other users chose are quoted before they are offered, and never evaluated. A JVM is
# started for the paths inside an image alone.

# _xip_split LINE splits a command line into words as the shell does, and expands nothing but a
# tilde. It sets words, of which the last is the one at the cursor, raw, that one as typed, and
# quote, the quotation mark that is open at its end.
function _xip_split() {
  local line=$1 word='' begun='' each i length
  words=()
  raw=''
  quote=''
  for ((i = 0; i < ${#line}; i++)); do
    each=${line:i:1}
    if [[ -z $quote && $each == [[:space:]] ]]; then
      [[ $raw == '~/'* ]] && word=$HOME${word#\~}
      [[ -n $begun ]] && words+=("$word")
      word=''
      begun=''
      raw=''
      continue
    fi
    begun=yes
    raw+=$each
    if [[ -z $quote && $each == '$' && ${line:i + 1:1} == "'" ]]; then
      _xip_ansi "${line:i + 2}"
      raw+=${line:i + 1:length + 2}
      i=$((i + length + 2))
    elif [[ -n $quote && $each == "$quote" ]]; then
      quote=''
    elif [[ $quote == "'" ]]; then
      word+=$each
    elif [[ $each == \\ ]]; then
      i=$((i + 1))
      each=${line:i:1}
      raw+=$each
      [[ $quote == '"' && $each != [\"\\\$\`] ]] && word+=\\
      word+=$each
    elif [[ -z $quote && $each == [\'\"] ]]; then
      quote=$each
    else
      word+=$each
    fi
  done
  words+=("$word")
}

# _xip_ansi LINE adds to word what stands before the next quotation mark, after a dollar sign and
# another one, and sets length to its length as typed.
function _xip_ansi() {
  local line=$1 text='' each
  for ((length = 0; length < ${#line}; length++)); do
    each=${line:length:1}
    [[ $each == "'" ]] && break
    if [[ $each == \\ ]]; then
      length=$((length + 1))
      each=${line:length:1}
      [[ $each == "'" ]] || each=\\$each
    fi
    text+=$each
  done
  printf -v text %b "$text"
  word+=$text
}

# _xip_place WORD remembers an option that says where in a file or store the image lies.
function _xip_place() {
  case ${1%%=*} in
    --offset | --size | --format | --store | --timeout | --no-recovery) places+=("$1") ;;
  esac
}

# _xip_segments prints the names of the segments in the store of the command line.
function _xip_segments() {
  local LC_ALL=C form='^[A-Z0-9$#@_]{1,8}$' each file
  local store="${XIP_STORE:-${XDG_DATA_HOME:-$HOME/.local/share}/xip/segments}"
  for each in "${places[@]}"; do
    [[ $each == --store=* ]] && store=${each#*=}
  done
  for file in "$store"/*.def; do
    file=${file##*/}
    file=${file%.def}
    [[ $file =~ $form ]] && printf '%s\n' "$file"
  done
}

# _xip_kept TYPED sets cut, the length of what was typed once it is unquoted, and quote.
function _xip_kept() {
  local words raw
  _xip_split "$1"
  cut=${#words[0]}
}

# _xip_offer VALUE offers a value, quoted as the word has begun.
function _xip_offer() {
  local each=$start$1 mark
  each=${each:cut}
  case $quote in
    "'") each=${each//\'/\'\\\'\'} ;;
    '"')
      for mark in \\ \" \$ \`; do
        each=${each//"$mark"/\\$mark}
      done
      ;;
    *) printf -v each %q "$each" ;;
  esac
  COMPREPLY+=("$each")
}

# _xip_as_files has readline show names as it shows host files, and leave the quoting to us.
function _xip_as_files() {
  compopt +o default 2>/dev/null
  compopt -o filenames -o noquote 2>/dev/null
}

# _xip_reply NAMES VALUE [BEFORE] offers the lines that begin with the value.
function _xip_reply() {
  local each
  compopt +o default 2>/dev/null
  while IFS= read -r each; do
    [[ -n $each && $each == "$2"* ]] && _xip_offer "$3$each"
  done <<<"$1"
}

# _xip_names NAMES VALUE [BEFORE] does so also if names are in upper case and the value is not.
function _xip_names() {
  _xip_reply "$@"
  [[ ${#COMPREPLY[@]} -gt 0 ]] || _xip_reply "$1" "$(tr a-z A-Z <<<"$2")" "$3"
}

# _xip_files offers host files that begin with the value, where readline itself would take another
# word for their beginning: it ends words at characters such as a colon.
function _xip_files() {
  local each
  if ((cut == ${#start})) && [[ -z $value || segment: != "$value"* || $kind != image ]]; then
    [[ $kind == folder ]] && compopt +o default -o dirnames 2>/dev/null
    return
  fi
  _xip_as_files
  for each in "$value"*; do
    if [[ -d $each ]]; then
      _xip_offer "$each/"
    elif [[ $kind != folder && ( -e $each || -L $each ) ]]; then
      _xip_offer "$each"
    fi
  done
  [[ $kind == image && -n $value && segment: == "$value"* ]] && _xip_offer segment:
  _xip_goes_on
}

# _xip_goes_on lets the word go on if its only completion is its beginning.
function _xip_goes_on() {
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

# _xip_paths offers the paths of the image that begin with the value.
function _xip_paths() {
  local each
  _xip_as_files
  while IFS= read -r -d '' each; do
    _xip_offer "$each"
  done < <("${words[0]}" paths "${places[@]}" -- "$image" "$value" 2>/dev/null </dev/null)
  _xip_goes_on
}

function _complete_xip() {
  local command=xip option='' plain='' kind position=0 image='' value start='' cut i each
  local words raw quote commands options values operands stops places=()
  COMPREPLY=()
  _xip_split "${COMP_LINE:0:COMP_POINT}"
  _xip_grammar "$command"
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    each=${words[i]}
    if [[ -n $option ]]; then
      _xip_place "$option=$each"
      option=''
    elif [[ -z $plain && $each == -- ]]; then
      plain=yes
    elif [[ -z $plain && $each == -?* ]]; then
      if [[ " $values" == *" $each="* ]]; then
        option=$each
      else
        _xip_place "$each"
      fi
    elif [[ " $commands " == *" $each "* ]]; then
      command="$command $each"
      _xip_grammar "$command"
    else
      [[ $position -eq 0 && $operands == image* ]] && image=$each
      position=$((position + 1))
      plain=${plain:-$stops}
    fi
  done
  value=${words[i]}
  if [[ -z $plain && -z $option && $value == --*=* ]]; then
    option=${value%%=*}
    start=$option=
    value=${value#*=}
  fi
  if [[ -n $option ]]; then
    each=" $values none"
    each=${each#*" $option="}
    kind=${each%% *}
  elif [[ -z $plain && $value == -* ]]; then
    kind=${options// /,}
  elif [[ -n $commands ]]; then
    kind=${commands// /,}
  else
    each="$operands none+ "
    while ((position-- > 0)) && [[ ${each%% *} != *+ ]]; do
      each=${each#* }
    done
    kind=${each%% *}
    kind=${kind%+}
  fi
  # Readline replaces its own idea of the word, the second argument; what is before it stays.
  each=${2-$raw}
  _xip_kept "${raw:0:${#raw}-${#each}}"
  [[ $kind == image && $value == segment:* ]] && kind=segments
  case $kind in
    file | folder | image) _xip_files ;;
    path) _xip_paths ;;
    none) compopt +o default 2>/dev/null ;;
    segment) _xip_names "$(_xip_segments)" "$value" ;;
    segments) _xip_names "$(_xip_segments)" "${value##*:}" "${value%:*}:" ;;
    *) _xip_names "${kind//,/$'\n'}" "$value" ;;
  esac
}

complete -o default -F _complete_xip xip
