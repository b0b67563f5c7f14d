// node run_onnx.js MODEL IMAGES N C H W LOGITS [PROFILE]: runs the images (float32, as bytes in a file) through the model by
// ONNX Runtime and writes its logits; PROFILE is where its profile goes, without .json. $ADAPT_ONNXRUNTIME is the folder in
// which `npm install --ignore-scripts onnxruntime-node` was run.
const fs = require("fs");
const path = require("path");

const ort = require(path.join(process.env.ADAPT_ONNXRUNTIME, "node_modules", "onnxruntime-node"));
const [model, images, n, c, h, w, logits, profile] = process.argv.slice(2);

async function main() {
  const options = {
    graphOptimizationLevel: "all",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Without VNNI its kernels for u8 and s8 saturate sums of two products at 16 bits; this makes weights unsigned.
    extra: { session: { x64quantprecision: "1" } },
    enableProfiling: profile !== undefined,
    profileFilePrefix: profile,
  };
  const session = await ort.InferenceSession.create(model, options);
  const bytes = fs.readFileSync(images);
  const pixels = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const [size, batch, said] = [pixels.length / n, 50, []];
  for (let first = 0; first < n; first += batch) {
    const count = Math.min(batch, n - first);
    const piece = pixels.slice(first * size, (first + count) * size);
    const results = await session.run({ images: new ort.Tensor("float32", piece, [count, +c, +h, +w]) });
    said.push(Buffer.from(results.logits.data.buffer, results.logits.data.byteOffset, results.logits.data.byteLength));
  }
  fs.writeFileSync(logits, Buffer.concat(said));
  if (profile !== undefined) {
    session.endProfiling();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
