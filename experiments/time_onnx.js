// node time_onnx.js MODEL BATCH C H W [THREADS]: images per second of ONNX Runtime for an exported model, on random images:
// median, least and greatest of seven rounds of a second. $ADAPT_ONNXRUNTIME is the folder in which
// `npm install --ignore-scripts onnxruntime-node` was run.
const path = require("path");

const ort = require(path.join(process.env.ADAPT_ONNXRUNTIME, "node_modules", "onnxruntime-node"));
const [model, batch, c, h, w, threads] = process.argv.slice(2);
const rounds = 7;

async function main() {
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: "all",
    intraOpNumThreads: Number(threads ?? 1),
    interOpNumThreads: 1,
  });
  const pixels = Float32Array.from({ length: batch * c * h * w }, () => 4 * Math.random() - 2);
  const images = new ort.Tensor("float32", pixels, [+batch, +c, +h, +w]);
  const rates = [];
  for (let round = -1; round < rounds; ++round) {
    const begin = process.hrtime.bigint();
    let [runs, seconds] = [0, 0];
    for (; seconds < 1; ++runs) {
      await session.run({ images });
      seconds = Number(process.hrtime.bigint() - begin) / 1e9;
    }
    if (round >= 0) {
      rates.push((runs * batch) / seconds); // the first round warms up
    }
  }
  rates.sort((a, b) => a - b);
  const [median, least, greatest] = [rates[(rounds - 1) / 2], rates[0], rates[rounds - 1]].map(Math.round);
  console.log(`${median} images/s (${least} to ${greatest}), batch ${batch}, ${threads ?? 1} threads`);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
