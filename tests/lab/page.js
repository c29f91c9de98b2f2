// Draws the outputs of a notebook as JupyterLab does: one OutputArea a cell.
// The page sets window.notebook (nbformat 4) and window.trusted before.
import { OutputArea, OutputAreaModel } from '@jupyterlab/outputarea';
import { RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

const rendermime = new RenderMimeRegistry({ initialFactories: standardRendererFactories });

// A file has long texts as lists of lines; JupyterLab joins them when it opens it.
const joined = text => (Array.isArray(text) && text.every(line => typeof line === 'string') ? text.join('') : text);
const whole = output => ({
  ...output,
  text: joined(output.text),
  data: output.data && Object.fromEntries(Object.entries(output.data).map(([type, text]) => [type, joined(text)]))
});

for (const cell of window.notebook.cells) {
  if (!cell.outputs || cell.outputs.length === 0) continue;
  const model = new OutputAreaModel({ trusted: window.trusted, values: cell.outputs.map(whole) });
  const area = new OutputArea({ model, rendermime });
  const host = document.createElement('section');
  document.body.appendChild(host);
  Widget.attach(area, host);
}
