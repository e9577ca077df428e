# What the build needs of the machine, and which libraries a program loads. scripts/build.sh sources this in the
# repository's root.

# Sentences about what is missing, each with what to do.
problems=()
# problem PART...: adds one, whose parts are separated by spaces.
problem() { problems+=("$*"); }

# The folders of libraries that the loader would not find, or not these, without being told.
rpaths=()
# A line "NAME FILE" for each shared library that the program is linked with: libmpi.so.40 /opt/openmpi/lib/libmpi.so
linked_libraries=()

# is_new_enough VERSION MINIMUM
is_new_enough() { [[ $(printf '%s\n' "$1" "$2" | sort --version-sort | head -1) == "$2" ]]; }

# Sets $clang to the compiler that links Swift's programs.
look_for_swift() {
  if ! command -v swift >/dev/null; then
    problem "There is no Swift compiler. Please install Swift 6.2 or newer (https://www.swift.org/install/linux)"
    return
  fi
  local tools lacking information version resources
  tools=$(dirname "$(realpath "$(command -v swift)")")
  lacking=$(ldd "$tools"/{swift-frontend,swift-driver,swift-build,swift-package,clang,lld} 2>/dev/null |
    awk '/not found/ { print $1 }' | sort -u | tr '\n' ' ') || true
  if [[ -n $lacking ]]; then
    problem "Swift does not start without ${lacking% }." \
      "Their packages are among those of scripts/install-dependencies.sh"
    return
  fi
  if ! information=$(swiftc -print-target-info 2>&1); then
    problem "Swift does not start: $(head -1 <<<"$information")"
    return
  fi
  version=$(sed -n 's/.*"compilerVersion": ".*Swift version \([0-9.]*\).*/\1/p' <<<"$information")
  resources=$(sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p' <<<"$information")
  if ! is_new_enough "${version:-0}" 6.2; then
    problem "This is Swift ${version:-of an unknown version}, and compilers before 6.2 crash on this program." \
      "Please install a newer one (https://www.swift.org/install/linux)"
    return
  fi
  if [[ ! -e ${resources}_static/linux/static-stdlib-args.lnk ]]; then
    problem "This Swift has no static libraries (${resources}_static). Use one from" \
      "https://www.swift.org/install/linux, or run swift build -c release, whose program needs Swift's libraries" \
      "wherever it runs"
  fi
  clang=$(dirname "$(dirname "$resources")")/bin/clang
}

look_for_tools() {
  command -v git >/dev/null || problem "There is no git, which Swift fetches packages with. Please install it"
  command -v pkg-config >/dev/null ||
    problem "There is no pkg-config, which tells where libraries are. Please install it"
}

# probe FILE FOLDER...: makes FILE, a program that includes the headers of these folders of Sources and is linked with
# their libraries. Prints what the compiler and the linker say, among it the paths of all that was linked.
probe() {
  local file=$1 library
  shift
  for library; do echo "#include \"$PWD/$library/shim.h\""; done >"$file.c"
  echo 'int main(void) { return 0; }' >>"$file.c"
  local named=()
  for library; do
    mapfile -t -O "${#named[@]}" named < <(sed -n 's/^ *link "\(.*\)"$/-l\1/p' "$library/module.modulemap")
  done
  "$clang" "${compiler_flags[@]}" "$file.c" -o "$file" -Wl,--no-as-needed,-t "${rpaths[@]/#/-Wl,-rpath,}" \
    "${linker_flags[@]}" "${named[@]}" -lstdc++ -lm 2>&1
}

# is_loaded FILE LINES: whether this file is among those that ldd says are loaded.
is_loaded() {
  local path
  while read -r path; do
    if [[ $path -ef $1 ]]; then return 0; fi
  done < <(awk '$2 == "=>" { print $3 }' <<<"$2")
  return 1
}

# Compiles and links with the libraries, as they are found now. SCRATCH is a folder for that. Sets $rpaths and
# $linked_libraries.
look_for_libraries() {
  local scratch=$1 libraries=() known=() unknown=() flags=() flag module library name said mpi=
  # Swift evaluates Package.swift once for each environment. This makes it look again when packages were installed.
  DDPM_INSTALLED=$(for module in ompi-c mpich hdf5-openmpi hdf5-mpich hdf5-serial hdf5; do
    if pkg-config --exists "$module"; then echo -n "$module "; fi
  done)
  export DDPM_INSTALLED
  compiler_flags=()
  linker_flags=()
  # Before Package.swift, which is compiled and linked too.
  if ! said=$(probe "$scratch/none"); then
    problem "Swift's compiler cannot link a C++ program: $(first_error "$said"). The headers of the C library or the" \
      "C++ library of the newest GCC are missing; their packages are among those of scripts/install-dependencies.sh"
    return
  fi
  # In a folder of its own, since Swift locks the usual one while it builds or tests.
  if ! said=$(swift package --scratch-path "$scratch/package" dump-package 2>"$scratch/errors"); then
    problem "Swift does not understand Package.swift: $(first_error "$(cat "$scratch/errors")")"
    return
  fi
  while read -r library module; do
    libraries+=("$library")
    if [[ $library == Sources/CMPI* ]]; then mpi=$module; fi
    if pkg-config --exists "$module"; then known+=("$module"); else unknown+=("$module"); fi
  done < <(awk -F'"' '
    $2 == "name" { folder = "Sources/" $4; module = "" }
    $2 == "path" { folder = $4 }
    $2 == "pkgConfig" { module = $4 }
    $2 == "type" && $4 == "system" && module != "" { print folder, module }' <<<"$said")
  # Another MPI might be found in its place, by the flags of its HDF5.
  if [[ -n ${DDPM_MPI:-} && " ${unknown[*]} " == *" $mpi "* ]]; then
    problem "pkg-config does not know $mpi, which DDPM_MPI=$DDPM_MPI asks for. Please install it, load its module, or" \
      "name the folder of its .pc file in PKG_CONFIG_PATH"
    return
  fi
  if ((${#known[@]} > 0)); then
    read -ra compiler_flags < <(pkg-config --cflags "${known[@]}") || true
    read -ra flags < <(pkg-config --libs "${known[@]}") || true
    # Swift's package manager takes no others, such as -Wl,-rpath.
    for flag in "${flags[@]}"; do
      if [[ $flag == -[lL]* ]]; then linker_flags+=("$flag"); fi
    done
  fi

  if ! said=$(probe "$scratch/all" "${libraries[@]}"); then
    local together=$said count=${#problems[@]}
    for library in "${libraries[@]}"; do
      name=$(cut -d/ -f2 <<<"$library")
      said=$(probe "$scratch/one" "$library") || problem "${name#C} cannot be used: $(first_error "$said")"
    done
    if ((${#problems[@]} == count)); then
      problem "The libraries cannot be used together: $(first_error "$together")." \
        "HDF5 must be built with the same MPI"
    fi
    if ((${#unknown[@]} > 0)); then
      problem "pkg-config does not know ${unknown[*]}. Please install their packages; if they are elsewhere, load" \
        "their modules, or name the folders of their .pc files in PKG_CONFIG_PATH"
    fi
    return
  fi
  look_at_loading "$scratch" "${libraries[@]}"
}

# What a compiler or linker says is wrong.
first_error() {
  local line
  line=$(grep -m 1 -i 'fatal error' <<<"$1" || grep -m 1 -iE 'error|cannot|undefined|unable' <<<"$1" || tail -1 <<<"$1")
  echo "${line#*rror: }"
}

# Modules set LD_LIBRARY_PATH where the program is built, and maybe not where it runs: what is linked must be loaded
# without it.
look_at_loading() {
  local scratch=$1 said loaded file folder follow count name line
  shift
  said=$(probe "$scratch/all" "$@")
  local files=()
  while read -r file; do
    # Not the linker's scripts, such as libc.so. Where that of an MPI library is one, the file that it names counts.
    if [[ $(head -c 4 "$file" | tr -d '\177\0') == ELF ]]; then files+=("$file"); fi
  done < <(grep -oE '/[^() ]+' <<<"$said" | grep -E '\.so$|/libmpi[^/]*\.so[.0-9]*$' | sort -u)

  loaded=$(env -u LD_LIBRARY_PATH ldd "$scratch/all")
  # First where the linker found them, then where the links there lead.
  for follow in echo realpath; do
    count=${#rpaths[@]}
    for file in "${files[@]}"; do
      is_loaded "$file" "$loaded" && continue
      folder=$(cd "$(dirname "$("$follow" "$file")")" && pwd)
      if [[ " ${rpaths[*]} " != *" $folder "* ]]; then rpaths+=("$folder"); fi
    done
    if ((${#rpaths[@]} > count)); then
      probe "$scratch/all" "$@" >/dev/null
      loaded=$(env -u LD_LIBRARY_PATH ldd "$scratch/all")
    fi
  done

  for file in "${files[@]}"; do
    name=$(while read -r name _ line _; do
      if [[ $line -ef $file ]]; then echo "$name" && break; fi
    done <<<"$loaded")
    if [[ -n $name ]]; then
      linked_libraries+=("$name $file")
    elif [[ $(basename "$file") =~ ^lib(mpi|hdf5) ]]; then
      problem "What is linked with $file loads another library in its place, or none"
    fi
  done
  line=$(awk '$1 ~ /^libmpi(ch|_abi)?[.]so/ { print $1 }' <<<"$loaded" | tr '\n' ' ')
  if [[ ${line% } == *" "* ]]; then
    problem "Two MPI libraries would be loaded, ${line% }: HDF5 is built with another one than the program." \
      "DDPM_MPI chooses them"
  fi
  line=$(awk '/not found/ { print $1 }' <<<"$loaded" | sort -u | tr '\n' ' ')
  if [[ -n $line ]]; then
    if [[ $(ldd "$scratch/all") == *"not found"* ]]; then
      problem "These libraries, which others need, are not found: ${line% }. Load the modules that have them, or name" \
        "their folders in LD_LIBRARY_PATH"
    else
      echo "Note: ${line% } are found through LD_LIBRARY_PATH alone; jobs must load the modules that are loaded" \
        "now." >&2
    fi
  fi
}

# look_at_program FILE: compares what this program loads with what it was linked with.
look_at_program() {
  local loaded line name file path mpi=no
  loaded=$(ldd "$1")
  for line in "${linked_libraries[@]}"; do
    read -r name file <<<"$line"
    path=$(awk -v name="$name" '$1 == name && $2 == "=>" { print $3; exit }' <<<"$loaded")
    # What was linked statically is not loaded.
    [[ -n $path ]] || continue
    if [[ $name == libmpi* ]]; then mpi=yes; fi
    if [[ $path == not ]]; then
      problem "$1 was linked with $file, but does not find $name"
    elif [[ ! $path -ef $file ]]; then
      problem "$1 was linked with $file, but loads $path. LD_LIBRARY_PATH or /etc/ld.so.conf leads there; load the" \
        "modules of one MPI only"
    fi
  done
  if [[ $mpi == no ]]; then
    problem "$1 loads no MPI library: $(grep -m 1 mpi <<<"$loaded" || echo "none is linked")"
  fi
}

# The packages of the shared libraries that FILE loads directly, if a package manager knows them: those that a machine
# needs to run it.
packages_of_libraries() {
  local line name file path loaded
  loaded=$(ldd "$1")
  for line in "${linked_libraries[@]}"; do
    read -r name file <<<"$line"
    # Every system has these.
    if [[ $name =~ ^lib(c|m|mvec|gcc_s|stdc\+\+)\.so ]]; then continue; fi
    path=$(awk -v name="$name" '$1 == name && $2 == "=>" { print $3; exit }' <<<"$loaded")
    [[ -n $path ]] || continue
    if command -v dpkg-query >/dev/null; then
      # Some packages were made when /lib was not yet /usr/lib.
      path=$(realpath "$path")
      { dpkg-query --search "$path" || dpkg-query --search "${path#/usr}"; } 2>/dev/null | sed 's/:.*//'
    elif command -v rpm >/dev/null; then
      rpm --query --file --queryformat '%{NAME}\n' "$path" 2>/dev/null
    fi || true
  done | sort -u | tr '\n' ' '
}

# Prints the problems and ends with 1, if there are any.
end_with_problems() {
  ((${#problems[@]} > 0)) || return 0
  printf '%s.\n' "${problems[@]%.}" >&2
  exit 1
}
