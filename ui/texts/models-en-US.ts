import type { DetectorLevel, ModelKind, TrainingSource } from '../shared/types';

const kinds: Record<ModelKind, string> = { patchcore: 'Anomaly model', detector: 'Detector', classifier: 'Classifier' };
const kindHints: Record<ModelKind, string> = {
  patchcore: 'Learns good parts only, and finds what deviates from them.',
  detector: 'Finds named defects and where they are. Learns from boxes on pictures.',
  classifier: 'Says what kind of picture it is, such as good or porosity. Learns from sorted pictures.',
};
const levelNames: Record<DetectorLevel, string> = {
  head: 'Quick (head only)',
  neck: 'Normal (head and neck)',
  full: 'Thorough (all layers)',
  external: 'External program',
  scratch: 'From nothing',
  imported: 'Imported',
};

/** Texts about models of more than one kind: what they are, how they are trained and what they achieve. */
export const modelsEnUS = {
  kinds,
  kindHints,
  sources: {
    hints: {
      patchcore: {
        labelled: 'Pictures that a person labelled OK in the review.',
        folder: 'All pictures in the folder count as good parts.',
        simulator: 'Drawn good parts, to try things out.',
      },
      detector: {
        labelled: 'Pictures with boxes from the review; those labelled OK show what is no defect.',
        dataset: 'YOLO (data.yaml), COCO (json) or a folder in the form of Pascal VOC; recognised by itself.',
        simulator: 'Drawn parts with defects and their boxes, to try things out.',
      },
      classifier: {
        labelled: 'Labelled OK: the class “good”. Labelled NG: the class of the largest box, or “defect”.',
        dataset: 'A folder with a folder of pictures for each class.',
        simulator: 'Drawn parts, sorted by what is wrong with them, to try things out.',
      },
    } as Record<ModelKind, Partial<Record<TrainingSource['kind'], string>>>,
    labelled: {
      patchcore: (count: number) => (count === 1 ? '1 OK picture' : `${count} OK pictures`),
      detector: (count: number) => (count === 1 ? '1 picture with boxes' : `${count} pictures with boxes`),
      classifier: (count: number) => (count === 1 ? '1 picture' : `${count} pictures`),
    } as Record<ModelKind, (count: number) => string>,
    tooFew: {
      patchcore: 'There is no OK picture yet. One is enough to begin with; 50 and more give sure thresholds.',
      detector:
        'At least 3 pictures with boxes are needed. Draw boxes on the Review page: 30 pictures are a good beginning.',
      classifier: 'There is no labelled picture yet. Label some on the Review page, or name a data set.',
    } as Record<ModelKind, string>,
    dataset: 'Path of the data set on the server',
    example: { patchcore: '', detector: 'boards/data.yaml', classifier: 'boards' } as Record<ModelKind, string>,
    pathMissing: 'Enter a path.',
  },
  figures: {
    figure: 'Figure',
    before: 'Before',
    after: 'After',
    change: 'Change',
    changes: { better: 'better', worse: 'worse', same: 'same', new: 'new', none: '' },
    map50: 'mAP50',
    map5095: 'mAP50-95',
    accuracy: 'Accuracy',
    recall: 'Recall',
    recallHint: 'Of what is there, the share that is found',
    precision: 'Precision',
    precisionHint: 'Of what is found, the share that is there',
    recallOf: (label: string) => `Recall of ${label}`,
    points: (difference: string) => (difference === '1' ? '1 point' : `${difference} points`),
    heldOut: (pictures: number) =>
      pictures === 1 ? 'On 1 held-out picture' : `On ${pictures} held-out pictures it has not learnt`,
    oldPictures: (pictures: number) =>
      pictures === 1 ? 'On 1 old picture: what was forgotten' : `On ${pictures} old pictures: what was forgotten`,
    perClass: 'Class by class',
    class: 'Class',
    boxes: 'Boxes',
    pictures: 'Pictures',
    interval: (low: string, high: string) => `mAP50 lies between ${low} and ${high} with a confidence of 95 %.`,
    accuracyInterval: (low: string, high: string) =>
      `The accuracy lies between ${low} and ${high} with a confidence of 95 %.`,
    precisionRecall: 'Precision over recall',
    precisionRecallLabel: (label: string, ap50: string) =>
      `Precision over recall for ${label}; average precision ${ap50}`,
    confusion: 'What is taken for what',
    trueAndFound: 'true ↓ found →',
    background: 'nothing',
  },
  curve: {
    title: 'Course of the training',
    loss: 'Loss',
    epoch: 'Epoch',
    label: (name: string, first: string, from: number, last: string, to: number) =>
      `${name}: ${first} in epoch ${from}, ${last} in epoch ${to}`,
  },
  gate: {
    title: 'Gate',
    accepted: 'Accepted: not worse than before on pictures it has not learnt.',
    acceptedFirst: 'Accepted: there was no version before to compare it with.',
    few: (pictures: number) =>
      pictures === 1
        ? 'Measured with 1 picture only: the figures say little.'
        : `Measured with ${pictures} pictures only: the figures say little.`,
    refused: 'Refused by the gate: it is not put into production by itself.',
    refusedShort: 'refused',
    warning: 'The gate refused this version; it may inspect worse than the one before.',
    deployAnyway: 'Deploy all the same',
    /** By the code of the reason; `__name__` is a gap. */
    reasons: {
      'nothing-to-measure-with':
        'No picture with labels is held out, so nobody can tell whether it is better. Add pictures.',
      'finds-too-little':
        'It finds too little on the held-out pictures: mAP50 __map50__, at least __least__ is wanted. Train longer, or with more pictures.',
      'held-out-map50-fell': 'mAP50 on the held-out pictures fell from __before__ to __after__.',
      'held-out-recall-fell': 'Of __label__, __after__ instead of __before__ are found on the held-out pictures.',
      'held-out-accuracy-fell': 'The mean recall on the held-out pictures fell from __before__ to __after__.',
      'held-out-class-fell':
        'Of __label__, __after__ instead of __before__ are named rightly on the held-out pictures.',
      'names-by-chance': 'The mean recall is __accuracy__ on the held-out pictures; naming by chance gives __chance__.',
      'old-map50-fell': 'mAP50 on the old pictures fell from __before__ to __after__.',
      'old-recall-fell': 'Of __label__, __after__ instead of __before__ are found on the old pictures.',
      'gate-accuracy-fell': 'Rightly decided pictures fell from __before__ to __after__; by __bound__ they may fall.',
      'gate-map50-fell': 'mAP50 fell from __before__ to __after__; by __bound__ it may fall.',
      'gate-old-classes-fell': 'Of what was known before, __after__ instead of __before__ are found.',
      'gate-escapes-rose': '__after__ instead of __before__ of the defective parts would pass.',
      'gate-false-rejects-rose':
        '__after__ instead of __before__ of the good parts would not pass; by __bound__ they may rise.',
      'gate-ng-newly-passes': '__count__ pictures labelled NG would newly pass.',
      'gate-levels-differ':
        'By __count__ of these pictures labelled NG the version in production has set its accept level, and this one has not: they flatter the former. Look at these parts, and deploy this version by hand once if it is right about them; after that both are judged alike.',
      'gate-nothing-to-measure-with':
        'There is no labelled picture that neither version has learnt, so nobody can tell whether it is better.',
    } as Record<string, string>,
  },
  detector: {
    level: 'What is trained',
    levelNames,
    levelHints: {
      head: 'Under a minute for 30 pictures; enough where the defects look like those it knows.',
      neck: 'A minute or two for 30 pictures; finds more than the head alone. Right for corrections.',
      full: 'Takes longest; finds most where there are 100 pictures and more, or defects of a new kind.',
    },
    epochs: 'Epochs (how often each picture is seen)',
    start: 'What to start from',
    bases: {
      deployed: (version: string) => `Version ${version} in production`,
      starter: 'The starter detector',
      file: 'An ONNX file on the server',
    },
    baseFile: 'Path of the ONNX file',
    baseFileHint: 'An export of YOLOv8, 11, 12 or 26.',
    replay: 'Data set of old pictures',
    replayHint: 'Learnt again, so that what it knows is not forgotten.',
    trainer: 'How to train',
    trainers: { 'built-in': 'Here, in Node-RED', external: 'By an external program' },
    noExternal: 'For an external program, enter its command in the inspection-station node.',
    search: 'Search for good settings first',
    searchMinutes: 'Time for the search, in minutes',
    learning: 'Learning',
    inputSize: 'Training size in pixels',
    batch: 'Pictures a step',
    learningRate: 'Learning rate',
    augmentation: 'Variation of pictures in %',
    seed: 'Seed',
    tolerance: 'mAP50 may fall by, in points',
    tips: {
      epochs: 'More epochs take longer. Automatic: so many that few pictures are seen often.',
      replay: 'A data set like that of the source. At least as many old pictures as new ones are learnt.',
      search: 'Tries learning rate, level and variation on a part of the pictures, and goes on with the best.',
      inputSize: 'Side of the windows learnt from. Larger ones take longer: twice the side is four times the time.',
      batch: 'More need more memory.',
      learningRate: 'How far each step goes. Too large forgets, too small learns nothing.',
      augmentation: 'How strongly pictures are turned, moved and brightened while learning.',
      seed: 'The same seed and pictures give the same model.',
      tolerance: 'A version that is worse by more is not put into production. 1 unless told.',
    },
  },
  classifier: {
    how: 'What is trained',
    methods: { linear: 'Last layer only', 'fine-tuned': 'The whole network' },
    methodHints: {
      linear: 'Seconds; right for a start and for few pictures.',
      'fine-tuned': 'Minutes; better where the classes look alike and there are 100 pictures of each and more.',
    },
    classes: 'What the classes mean',
    classesHint: 'Classes that are not listed are NG, but for “good” and “ok”.',
    className: 'Class, e.g. good',
    classTwice: 'Each class once.',
    addClass: 'Add a class',
    removeClass: (name: string) => (name === '' ? 'Remove the class' : `Remove ${name}`),
    verdict: 'Verdict',
    verdictOf: (name: string) => (name === '' ? 'Verdict' : `Verdict for ${name}`),
    tips: { inputSize: 'Larger inputs show smaller differences and take longer.' },
  },
};
