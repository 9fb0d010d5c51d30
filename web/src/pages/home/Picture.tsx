import { useTranslation } from 'react-i18next'

/** What a learnware is, in one picture: a model beside the points that tell what it is good for. */
export function Picture() {
  const { t } = useTranslation()
  const ink = 'currentColor'
  const accent = 'var(--mantine-primary-color-filled)'
  const cloud: [number, number][] = [
    [66, 60],
    [78, 48],
    [92, 66],
    [84, 82],
    [104, 52],
    [112, 74],
    [74, 96],
    [98, 98],
    [118, 94],
    [60, 78],
  ]
  const points: [number, number, number][] = [
    [246, 62, 5],
    [268, 52, 4],
    [280, 76, 6],
    [254, 90, 4.5],
  ]
  const mine: [number, number, number][] = [
    [566, 64, 5],
    [588, 56, 4.5],
    [596, 80, 5.5],
    [570, 92, 4],
  ]
  return (
    <svg
      viewBox="0 0 700 170"
      role="img"
      aria-label={t('home.picture')}
      style={{ maxWidth: 720, width: '100%' }}
    >
      <g fill="none" stroke={ink} strokeOpacity="0.35">
        <rect x="20" y="20" width="130" height="110" rx="10" />
        <rect x="212" y="20" width="190" height="110" rx="10" stroke={accent} strokeOpacity="1" />
        <rect x="520" y="20" width="120" height="110" rx="10" strokeDasharray="5 4" />
      </g>
      <g fill={ink} fillOpacity="0.4">
        {cloud.map(([x, y]) => (
          <circle key={`${x}-${y}`} cx={x} cy={y} r="2.6" />
        ))}
      </g>
      <g fill={accent}>
        {[...points, ...mine].map(([x, y, r]) => (
          <circle key={`${x}-${y}`} cx={x} cy={y} r={r} />
        ))}
      </g>
      <g stroke={accent} strokeWidth="1.5" fill="none">
        <path d="M156 75h48m-7 -5 7 5-7 5" />
        <path d="M512 75h-100m7 -5-7 5 7 5" strokeDasharray="4 4" />
        <path d="M330 52h44v44h-44zM340 74l8-10 8 6 10-12" />
      </g>
      <g fill={ink} fontSize="13" textAnchor="middle">
        <text x="85" y="152">
          {t('home.drawn.data')}
        </text>
        <text x="307" y="152">
          {t('home.drawn.learnware')}
        </text>
        <text x="580" y="152">
          {t('home.drawn.mine')}
        </text>
        <text x="462" y="62" fontSize="12">
          {t('home.drawn.compared')}
        </text>
      </g>
    </svg>
  )
}
