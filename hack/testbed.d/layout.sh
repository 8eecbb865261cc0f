# shellcheck shell=bash
# Writes OCI layouts with tar, gzip, sha256sum and jq: every byte of a base image is ours to choose.

# put_blob LAYOUT FILE: moves the file among the blobs, prints its digest and size.
put_blob() {
  local digest
  digest=$(sha256sum "$2" | cut -d' ' -f1)
  mkdir -p "$1/blobs/sha256"
  mv "$2" "$1/blobs/sha256/$digest"
  jq -nc --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$1/blobs/sha256/$digest")" '{$digest, $size}'
}

# add_layer LAYOUT TAR: prints the layer as {descriptor, diff_id}; consumes the tar.
add_layer() {
  local layout=$1 tar=$2 diff
  diff=sha256:$(sha256sum "$tar" | cut -d' ' -f1)
  gzip -n -6 "$tar"
  put_blob "$layout" "$tar.gz" | jq -c --arg diff "$diff" \
    '{descriptor: ({mediaType: "application/vnd.oci.image.layer.v1.tar+gzip"} + .), diff_id: $diff}'
}

# platform ARCH: as an index names it.
platform() {
  if [ "$1" = arm64 ]; then echo '{"architecture":"arm64","os":"linux","variant":"v8"}'; else echo "{\"architecture\":\"$1\",\"os\":\"linux\"}"; fi
}

# add_image LAYOUT ARCH EPOCH CONFIG LAYER…: prints the manifest's descriptor, with its platform.
add_image() {
  local layout=$1 arch=$2 epoch=$3 config=$4 work=$1/work layers
  shift 4
  layers=$(printf '%s\n' "$@" | jq -sc .)
  jq -nc --argjson p "$(platform "$arch")" --arg created "$(date -u -d "@$epoch" +%FT%TZ)" --argjson config "$config" --argjson layers "$layers" \
    '$p + {$created, $config, rootfs: {type: "layers", diff_ids: [$layers[].diff_id]}, history: [$layers[] | {$created, created_by: "hack/testbed"}]}' >"$work"
  config=$(put_blob "$layout" "$work" | jq -c '{mediaType: "application/vnd.oci.image.config.v1+json"} + .')
  jq -nc --argjson config "$config" --argjson layers "$layers" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", $config, layers: [$layers[].descriptor]}' >"$work"
  put_blob "$layout" "$work" | jq -c --argjson platform "$(platform "$arch")" '{mediaType: "application/vnd.oci.image.manifest.v1+json"} + . + {$platform}'
}

# finish_layout LAYOUT TAG MANIFEST…: one index of the manifests, tagged.
finish_layout() {
  local layout=$1 tag=$2 work=$1/work
  shift 2
  printf '%s\n' "$@" | jq -sc '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: .}' >"$work"
  put_blob "$layout" "$work" | jq -c --arg tag "$tag" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{mediaType: "application/vnd.oci.image.index.v1+json"} + . + {annotations: {"org.opencontainers.image.ref.name": $tag}}]}' >"$layout/index.json"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
}

# blob LAYOUT DIGEST: the file.
blob() { echo "$1/blobs/sha256/${2#sha256:}"; }

# layout_manifest LAYOUT ARCH: the manifest's file.
layout_manifest() {
  local index
  index=$(blob "$1" "$(jq -r '.manifests[0].digest' "$1/index.json")")
  blob "$1" "$(jq -r --arg arch "$2" '.manifests[] | select(.platform.architecture == $arch) | .digest' "$index")"
}

# layout_layers LAYOUT ARCH: the image's layers as add_layer printed them.
layout_layers() {
  local manifest config
  manifest=$(layout_manifest "$1" "$2")
  config=$(blob "$1" "$(jq -r .config.digest "$manifest")")
  jq -nc --slurpfile m "$manifest" --slurpfile c "$config" \
    '[$m[0].layers, $c[0].rootfs.diff_ids] | transpose[] | {descriptor: .[0], diff_id: .[1]}'
}
